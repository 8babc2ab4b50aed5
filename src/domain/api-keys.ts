/** Keys that programs act with for the agent who made them. */
import { randomBytes } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import { newId, nowDate, nowMs } from '../clock.ts';
import { type Context, tenantUser } from '../context.ts';
import { query } from '../db/control.ts';
import { ApiKey } from '../entities/control/api-key.ts';
import { Identity } from '../entities/control/identity.ts';
import { AppError, invalid, notFound } from '../errors.ts';
import { publish } from '../live/event-log.ts';
import { hashOfKey } from './api-key-ring.ts';
import { audit } from './audit.ts';
import { TenantPermission } from './permissions.ts';

/** A key as it is read. */
export type ApiKeyRow = Pick<ApiKey, 'id' | 'name' | 'prefix'> & {
  scopes: TenantPermission[];
  expiresAt: string | Date | null;
  lastUsedAt: string | null;
  createdAt: string | Date;
};

/** The only time that the key itself is told. */
export type NewApiKeyRow = ApiKeyRow & { key: string };

const COLUMNS = `id, name, prefix, scopes, expires_at as "expiresAt", last_used_at as "lastUsedAt", created_at as "createdAt"`;
const keysOf = query<ApiKeyRow>(
  'api_keys_of',
  `select ${COLUMNS} from api_keys where maker_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
);

/** Nobody needs more, and a program that makes one a day is noticed. */
const MOST_KEYS = 100;

/** The caller's own, oldest first. */
export function listApiKeys(ctx: Context, limit: number | null, after?: string | null): Promise<ApiKeyRow[]> {
  return ctx.rows(keysOf, [tenantUser(ctx).id, after ?? null, limit]);
}

export interface NewApiKey {
  name: string;
  scopes: TenantPermission[];
  expiresAt?: Date | null;
}

/** @throws {AppError} forbidden for a scope that the caller lacks; validation_failed, conflict for one too many. */
export async function createApiKey(ctx: Context, { name, scopes, expiresAt }: NewApiKey): Promise<NewApiKeyRow> {
  const { id: makerId, orgId } = tenantUser(ctx);
  if (expiresAt && expiresAt.getTime() <= nowMs()) throw invalid('expiresAt', 'must be in the future');
  const { permissions } = await ctx.access();
  const beyond = scopes.filter((scope) => !permissions.has(scope));
  if (beyond.length > 0) {
    throw new AppError('forbidden', { message: `You cannot give a key what you may not do: ${beyond.join(', ')}.` });
  }
  const prefix = `osk_${randomBytes(4).toString('hex')}`;
  const key = `${prefix}_${randomBytes(32).toString('base64url')}`;
  return ctx.em.transactional(async (em) => {
    // Its maker's row, so that keys are counted one after the other, and none is made for somebody who is just deleted.
    const maker = await em.findOne(Identity, makerId, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!maker) throw new AppError('unauthenticated');
    if ((await em.count(ApiKey, { makerId })) >= MOST_KEYS) {
      throw new AppError('conflict', { message: `You have ${MOST_KEYS} keys already: revoke one first.` });
    }
    const row = {
      id: newId(),
      name,
      prefix,
      scopes: [...new Set(scopes)],
      expiresAt: expiresAt ?? null,
      createdAt: nowDate(),
    };
    em.persist(em.create(ApiKey, { ...row, orgId, makerId, hash: hashOfKey(key) }));
    const after = { name, prefix, scopes: row.scopes, expiresAt: row.expiresAt };
    audit(em, ctx, { action: 'api_key.create', target: { type: 'api_key', id: row.id }, after });
    return { ...row, lastUsedAt: null, key };
  });
}

/** It is dead everywhere within a second. Who manages agents may revoke anybody's. @throws {AppError} not_found */
export async function revokeApiKey(ctx: Context, id: string): Promise<string> {
  const { id: makerId, orgId } = tenantUser(ctx);
  const own = (await ctx.may(TenantPermission.AGENTS_MANAGE)) ? {} : { makerId };
  await ctx.em.transactional(async (em) => {
    const key = await em.findOne(ApiKey, { id, orgId, ...own });
    if (!key) throw notFound('API key');
    const before = { name: key.name, prefix: key.prefix, makerId: key.makerId };
    em.remove(key);
    audit(em, ctx, { action: 'api_key.revoke', target: { type: 'api_key', id }, before });
    await publish(em, 'api_key', { tenantId: orgId });
  });
  ctx.services.apiKeys.forget();
  return id;
}
