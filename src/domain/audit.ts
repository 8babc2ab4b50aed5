/** Every change and every login leaves an entry, in the transaction of the change. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { newId } from '../clock.ts';
import type { Actor, Context } from '../context.ts';
import { query, rowsWithin } from '../db/control.ts';
import { AuditEntry } from '../entities/control/audit-entry.ts';
import { ActivityEntry } from '../entities/tenant/activity-entry.ts';
import { timeOf } from '../instants.ts';
import type { PlatformAction, TenantAction } from './audit-actions.ts';
import { digestOf } from './audit-digest.ts';

/** Where a change comes from: a request's context, or a job's. */
export interface AuditSource {
  readonly actor: Actor;
  readonly requestId?: string;
  readonly address?: string;
}

export interface AuditRecord<Action = PlatformAction> {
  action: Action;
  orgId?: string;
  target?: { type: string; id: string };
  /** Fields that changed, without secrets. */
  before?: object;
  after?: object;
  /** Where the operation itself established who it was, as a login does. */
  actor?: Actor;
}

/** Adds the entry to the unit of work; it is written when the transaction is. */
export function audit(em: EntityManager, source: AuditSource, record: AuditRecord): void {
  const actor = record.actor ?? source.actor;
  const orgId = record.orgId ?? (actor.kind === 'agent' ? actor.orgId : undefined);
  em.persist(em.create(AuditEntry, entry(source, actor, record, { orgId })));
}

const insertEntry = query(
  'insert_audit_entry',
  `insert into audit_entries (id, org_id, actor_kind, actor_id, actor_email, on_behalf_of, action, target_type, target_id,
     before, after, request_id, address, created_at, digest)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
);

/** The same, written at once: where the rest of a change is rows as well, this alone needs no unit of work. */
export async function auditRow(em: EntityManager, source: AuditSource, record: AuditRecord): Promise<void> {
  const { orgId } = record;
  const e: Omit<AuditEntry, 'orgId'> = entry(source, record.actor ?? source.actor, record, { orgId });
  const values = [e.actorKind, e.actorId, e.actorEmail, e.onBehalfOf, e.action, e.targetType, e.targetId];
  const rest = [e.before, e.after, e.requestId, e.address, e.createdAt, e.digest];
  await rowsWithin(em, insertEntry, [e.id, orgId, ...values, ...rest]);
}

/** The same for a change inside a tenant: the entry goes to the tenant's own log, in its transaction. */
export function tenantAudit(
  em: EntityManager,
  source: AuditSource,
  record: Omit<AuditRecord<TenantAction>, 'orgId'>,
): void {
  em.persist(em.create(ActivityEntry, entry(source, record.actor ?? source.actor, record, {})));
}

/** The same on a client that has begun a transaction. */
export async function auditOn(client: pg.ClientBase, source: AuditSource, record: AuditRecord): Promise<void> {
  const row = entry(source, record.actor ?? source.actor, record, { orgId: record.orgId });
  const columns = Object.keys(row).map((field) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  const places = columns.map((_, index) => `$${index + 1}`);
  await client.query(`insert into audit_entries (${columns}) values (${places})`, Object.values(row));
}

function entry<Scope extends { orgId?: string }>(
  source: AuditSource,
  actor: Actor,
  record: AuditRecord<string>,
  scope: Scope,
) {
  const id = newId();
  const createdAt = timeOf(id);
  const content = {
    id,
    ...scope,
    ...named(actor),
    action: record.action,
    targetType: record.target?.type,
    targetId: record.target?.id,
    // As they are read again.
    before: asJson(record.before),
    after: asJson(record.after),
    requestId: source.requestId,
    address: source.address,
  };
  return { ...content, createdAt, digest: digestOf({ ...content, createdAt: createdAt.toISOString() }) };
}

const asJson = (value: object | undefined): object | undefined => value && JSON.parse(JSON.stringify(value));

/** Writes the entry at once and by itself: of what fails, everything else is rolled back. */
export async function auditFailure(ctx: Context, record: AuditRecord): Promise<void> {
  await ctx.services.control.orm.em.fork().transactional(async (em) => audit(em, ctx, record));
}

function named(actor: Actor): Pick<AuditEntry, 'actorKind' | 'actorId' | 'actorEmail' | 'onBehalfOf'> {
  switch (actor.kind) {
    case 'superAdmin':
      return { actorKind: 'super_admin', actorId: actor.id, actorEmail: actor.email };
    case 'agent':
      return actor.impersonator
        ? {
            actorKind: 'super_admin',
            actorId: actor.impersonator.id,
            actorEmail: actor.impersonator.email,
            onBehalfOf: actor.id,
          }
        : actor.apiKey
          ? { actorKind: 'api_key', actorId: actor.apiKey.id, actorEmail: actor.email, onBehalfOf: actor.id }
          : { actorKind: 'agent', actorId: actor.id, actorEmail: actor.email };
    case 'system':
      return { actorKind: 'system' };
    case 'anonymous':
      return { actorKind: 'anonymous', actorEmail: actor.email };
  }
}

/** The source of what the platform does by itself. */
export const bySystem: AuditSource = { actor: { kind: 'system' } };
