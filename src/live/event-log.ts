/**
 * The log of committed changes. An event is written in the transaction of its change, so it exists exactly when that
 * transaction committed; every gateway process reads the log in order (live/event-bus.ts).
 */
import type { EntityManager } from '@mikro-orm/postgresql';
import { LOCKS } from '../db/locks.ts';
import type { RevocationReason } from '../entities/control/revocation.ts';

/** What each topic carries. Ids and states only: whoever needs more reads it with their own rights. */
export interface Topics {
  /** The older tokens of a subject are dead. */
  revocation: { subjectId: string; version: number; reason: RevocationReason };
  /** A tenant was made, changed, suspended, restored or called off. */
  tenant: { tenantId: string };
  /** A step of a tenant's provisioning began, ended or failed. */
  provisioning: { tenantId: string };
  /** A role of a tenant was changed, or the role of one of its agents. */
  access: { tenantId: string };
  /** An API key was revoked, or its maker deleted. */
  api_key: { tenantId: string };
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
  const rows = payloads.map((payload) => `(${literal(topic)}, ${literal(JSON.stringify(payload))})`);
  await em.getConnection().execute(
    `select pg_advisory_xact_lock(${LOCKS.eventLog}, 0);
     insert into events (topic, payload) values ${rows.join(', ')};
     select pg_notify('${EVENT_CHANNEL}', '')`,
    [],
    'run',
    em.getTransactionContext(),
  );
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
