/** Whom an API key speaks for, from memory: programs send theirs with every request. */
import { createHash } from 'node:crypto';
import { nowMs } from '../clock.ts';
import { type ControlDatabase, query } from '../db/control.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Remembered } from '../live/remembered.ts';
import type { Caller } from './tokens.ts';

const REMEMBERED = 10_000;

/** `osk_`, eight digits to tell keys apart by, and 256 random bits in base64url. */
export const API_KEY = /^(osk_[0-9a-f]{8})_[\w-]{43}$/;

/** What is stored of a key. */
export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');

export type KeyHolder = Extract<Caller, { kind: 'agent' }>;

interface KeyRow {
  id: string;
  name: string;
  scopes: string[];
  expiresAt: string | null;
  makerId: string;
  email: string;
  suspended: boolean;
  orgId: string;
  orgSlug: string;
  orgStatus: TenantStatus;
}

const keyByHash = query<KeyRow>(
  'key_by_hash',
  `select k.id, k.name, k.scopes, k.expires_at as "expiresAt", i.id as "makerId", i.email,
          i.suspended_at is not null as suspended, o.id as "orgId", o.slug as "orgSlug", o.status as "orgStatus"
     from api_keys k join identities i on i.id = k.maker_id join organizations o on o.id = k.org_id
    where k.hash = $1`,
);

export class ApiKeyRing {
  readonly #control: ControlDatabase;
  readonly #kept: Remembered<{ row?: KeyRow }>;

  constructor(control: ControlDatabase, bus: EventBus) {
    this.#control = control;
    this.#kept = new Remembered(bus, REMEMBERED, { strict: true });
    bus.on('api_key', () => this.forget());
    // Something has happened to a maker, or to an organization: what, the database knows. The end of a session is nothing to keys.
    bus.on('revocation', ({ payload }) => {
      if (payload.reason !== 'signed_out') this.forget();
    });
  }

  /** @throws {AppError} unauthenticated, tenant_suspended, user_suspended */
  async holderOf(key: string): Promise<KeyHolder> {
    if (!API_KEY.test(key)) throw badKey();
    const row = await this.#find(hashOfKey(key));
    if (row.expiresAt && Date.parse(row.expiresAt) <= nowMs()) {
      throw new AppError('unauthenticated', { message: 'This API key has expired.' });
    }
    return {
      kind: 'agent',
      id: row.makerId,
      email: row.email,
      orgId: row.orgId,
      orgSlug: row.orgSlug,
      role: 'api_key',
      apiKey: { id: row.id, name: row.name, scopes: new Set(row.scopes) },
    };
  }

  forget(): void {
    this.#kept.forgetAll();
  }

  async #find(hash: string): Promise<KeyRow> {
    const { row } = await this.#kept.get(hash, async () => {
      const { name, text } = keyByHash;
      const { rows } = await this.#control.pool.query<KeyRow>({ name, text, values: [hash] });
      return { row: rows[0] };
    });
    if (row && !row.suspended && row.orgStatus !== TenantStatus.SUSPENDED) return row;
    // Not remembered: guesses would drive good keys out, and one that is shut may be good again at any time.
    this.#kept.forget(hash);
    if (!row) throw badKey();
    throw new AppError(row.suspended ? 'user_suspended' : 'tenant_suspended');
  }
}

const badKey = () =>
  new AppError('unauthenticated', { message: 'This API key is not known: it is wrong, or has been revoked.' });
