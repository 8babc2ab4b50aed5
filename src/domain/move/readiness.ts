/** Whether a tenant can be moved between two servers. */
import type { Readiness } from '../../db/replication.ts';

/** Subscriptions that leave out what came from the other side. */
const OLDEST = 160_000;

/** A server by its name, and what is known of it. */
export interface Seen {
  name: string;
  readiness: Readiness;
}

/** @returns why not, as a sentence; undefined where it can. */
export function unready(source: Seen, target: Seen): string | undefined {
  if (source.readiness.system === target.readiness.system) {
    return `Servers ${source.name} and ${target.name} are the same PostgreSQL server.`;
  }
  return lacking(source) ?? lacking(target);
}

function lacking({ name, readiness }: Seen): string | undefined {
  const { version, walLevel, ...may } = readiness;
  if (version < OLDEST)
    return `Server ${name} is PostgreSQL ${Math.floor(version / 10_000)}; tenants are moved between servers of 16 or newer.`;
  if (walLevel !== 'logical') {
    return `Server ${name} has wal_level ${walLevel}: set it to logical (which needs a restart of it) for tenants to be moved.`;
  }
  if (!may.mayReplicate) return `The gateway's role on server ${name} needs REPLICATION: alter role ... replication;`;
  if (!may.maySubscribe) {
    return `The gateway's role on server ${name} may not subscribe: grant pg_create_subscription to it.`;
  }
  if (may.freeSlots < 2) {
    return `Server ${name} has no replication slot free: finish or undo moves, or raise its max_replication_slots.`;
  }
  return undefined;
}
