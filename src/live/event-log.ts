/**
 * The log of committed changes. An event is written in the transaction of its change, so it exists exactly when that
 * transaction committed; every gateway process reads the log in order (live/event-bus.ts).
 */
import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { LOCKS } from '../db/locks.ts';
import type { SystemHealth } from '../domain/health.ts';
import type { ToldMove } from '../domain/move/told.ts';
import type { TenantRow } from '../domain/organizations.ts';
import type { TenantUpgradeRow, UpgradeRunRow } from '../domain/upgrades/read.ts';
import type { Provisioning } from '../entities/control/provisioning-run.ts';
import type { RevocationReason } from '../entities/control/revocation.ts';
import { traced, tracing } from '../telemetry/tracing.ts';

/** What became of a tenant. */
export enum TenantChange {
  CREATED = 'created',
  UPDATED = 'updated',
  ACTIVATED = 'activated',
  SUSPENDED = 'suspended',
  RESTORED = 'restored',
  REMOVED = 'removed',
}

/**
 * What each topic carries, besides where its trace goes on from. What subscribers are told is all in it, so that whoever comes back later is told the same; of
 * the others only what has to be forgotten.
 */
export interface Topics {
  /** The older tokens of a subject are dead. */
  revocation: { subjectId: string; version: number; reason: RevocationReason };
  /** A tenant was made, changed, suspended, restored or called off. */
  tenant: { tenantId: string; change: TenantChange; tenant: TenantRow };
  /** A step of a tenant's provisioning began, ended or failed. */
  provisioning: { tenantId: string; provisioning: Provisioning };
  /** A step of a tenant's move to another server began, ended or failed, or its copy has come further. */
  move: { tenantId: string; move: ToldMove };
  /** An upgrade was started, paused or ended, or one of its tenants began, failed or is through. */
  upgrade: { run: UpgradeRunRow; tenant?: TenantUpgradeRow };
  /** A component, a channel or the number of tenants changed. */
  health: { health: SystemHealth };
  /** Entries of the platform's audit log were linked, up to this link. */
  audit: { upTo: number };
  /** A database server was registered, changed or removed. */
  database_server: { serverId: string };
  /** A role of a tenant was changed, or the role of one of its agents. */
  access: { tenantId: string };
  /** An API key was revoked, or its maker deleted. */
  api_key: { tenantId: string };
  /**
   * A tenant was restored from a backup: its log ends with this link now (0 and nothing where it has none). The proof is a
   * fingerprint, so that nobody who can merely write to the database can have an end forgotten.
   */
  restore: { tenantId: string; seq: number; hash: string; proof: string };
  /** Tokens are signed with another key, kept sealed; times are instants. */
  signing_key: { kid: string; sealedKey: string; signsFrom: string; formerEndAt: string; createdAt: string };
  /** `JWT_SECRET` is being changed: the keys of that generation are used before long. */
  root_secret: { generation: number };
  /** The hours of a tenant, or of one of its divisions, were changed; the newest version there is, that change's or a later one. */
  schedule: { tenantId: string; version: string };
}

export type Topic = keyof Topics;

/** One event as it is read back. */
export interface LoggedEvent<T extends Topic = Topic> {
  /** Ascending in the order of the commits. */
  seq: number;
  topic: T;
  payload: Topics[T];
}

export const EVENT_CHANNEL = 'omnistream_events';

/**
 * Appends to the log. To be called last in a transaction: it takes a lock until the commit, because sequence numbers
 * are handed out before the commit and a reader would otherwise pass over one that commits late.
 */
export function publish<T extends Topic>(em: EntityManager, topic: T, payload: Topics[T]): Promise<void> {
  return publishAll(em, topic, [payload]);
}

/** The same for several at once, at the cost of one. */
export async function publishAll<T extends Topic>(em: EntityManager, topic: T, payloads: Topics[T][]): Promise<void> {
  await em.flush();
  await traced(
    `publish ${topic}`,
    () => ({ kind: 'producer' }),
    () => em.getConnection().execute(appending(topic, payloads), [], 'run', em.getTransactionContext()),
  );
}

/** The same on a client that has begun a transaction. */
export async function publishOn<T extends Topic>(client: pg.ClientBase, topic: T, payload: Topics[T]): Promise<void> {
  await client.query(appending(topic, [payload]));
}

function appending<T extends Topic>(topic: T, payloads: Topics[T][]): string {
  const trace = tracing?.context();
  const rows = payloads.map((payload) => `(${literal(topic)}, ${literal(JSON.stringify({ ...payload, ...trace }))})`);
  return `select pg_advisory_xact_lock(${LOCKS.eventLog}, 0);
    insert into events (topic, payload) values ${rows.join(', ')};
    select pg_notify('${EVENT_CHANNEL}', '')`;
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
