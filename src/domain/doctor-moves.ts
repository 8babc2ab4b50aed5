/** Judges the moves of tenants between servers: those that wait for somebody, and what is left of them. */
import { replicationName } from '../db/replication.ts';
import { tenantName } from '../db/tenant-names.ts';
import { MoveState, UNFINISHED_MOVE } from '../entities/control/tenant-move.ts';
import { keepAside } from './backup/drafts.ts';
import type { Finding } from './doctor.ts';
import type { Facts, TenantFacts } from './doctor-facts.ts';

/** A move that has not come to its end. */
export interface MoveFacts {
  orgId: string;
  slug: string;
  sourceId: string;
  targetId: string;
  state: MoveState;
  /** The first step that failed, and why. */
  failedStep: string | null;
  error: string | null;
}

/** What keeps changes for somebody who follows. */
export interface SlotFacts {
  name: string;
  active: boolean;
  keptBytes: number | null;
}

export const MOVES = `
  select m.org_id as "orgId", o.slug, m.source_id as "sourceId", m.target_id as "targetId", m.state,
         failed.step->>'name' as "failedStep", failed.step->>'error' as error
    from tenant_moves m join organizations o on o.id = m.org_id
    left join lateral (select step from jsonb_array_elements(m.steps) step where step->>'state' = 'failed' limit 1) failed on true
   where m.${UNFINISHED_MOVE} order by o.slug`;

export const SLOTS = `
  select slot_name::text as name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as "keptBytes"
    from pg_replication_slots where starts_with(slot_name, $1 || '_') order by 1`;

/** Names of what moves need on a server, databases and roles alike. */
export const namesOfMoves = ({ code, moves }: Pick<Facts, 'code' | 'moves'>, serverId: string): string[] =>
  moves
    .filter(({ sourceId, targetId }) => [sourceId, targetId].includes(serverId))
    .flatMap(({ orgId }) => [tenantName(code, orgId), replicationName(tenantName(code, orgId))]);

/** An abandoned slot fills the server's disk. */
export const checkSlots = ({ slots, expected }: Facts): Finding[] =>
  slots
    .filter(({ name }) => !expected.has(name))
    .map(({ name, keptBytes }) => ({
      kind: 'orphan_slot',
      problem: `the replication slot ${name} belongs to no move, and keeps ${Math.round((keptBytes ?? 0) / 1e6)} MB of the server's log`,
      remedy: `select pg_drop_replication_slot('${name}');`,
    }));

/** In a database that has to stop following another one before it is dropped: SQL. */
export const unsubscribing = (database: string): string => {
  const name = `"${replicationName(database)}"`;
  return (
    `in it: alter subscription ${name} disable; alter subscription ${name} set (slot_name = none); drop subscription ${name}; ` +
    'then elsewhere: '
  );
};

/** A move that was abandoned keeps the copy where the tenant's own server does not answer. */
export const keptCopy = (name: string, { id, slug }: Pick<TenantFacts, 'id' | 'slug'>): Finding => ({
  kind: 'orphan_database',
  problem:
    `database ${name} is a copy of tenant ${slug} (${id}), whose own is out of reach or lost: this one may be newer than every backup, or ` +
    'all that there is',
  remedy:
    `keep it until the tenant's own is back or restored. To bring the tenant back from it: npm run backup -- --out <folder> --tenant ${slug} ` +
    `--from <this server>, then npm run restore (docs/moving.md); a restore here asks for another name: ${keepAside(name)}`,
});

/** A move that was abandoned within its switch could not give writes back where the tenant's server did not answer. */
export function checkWrites({ code, databases, tenants, moves }: Facts): Finding[] {
  const isMoved = new Set(moves.map(({ orgId }) => orgId));
  const closed = new Set(databases.filter(({ isReadOnly }) => isReadOnly).map(({ name }) => name));
  return tenants
    .filter(({ id }) => !isMoved.has(id) && closed.has(tenantName(code, id)))
    .map(({ id, slug }) => ({
      kind: 'closed_database',
      problem: `tenant ${slug} (${id}) cannot be written: a move that was abandoned has left its database so`,
      remedy: `alter database "${tenantName(code, id)}" reset default_transaction_read_only;`,
    }));
}

/** Whether a role is there for a move that is under way. */
export const readsForMove = (name: string, { expected }: Facts): boolean =>
  name === replicationName(name.slice(0, -replicationName('').length)) && expected.has(name);

export function checkMoves({ moves, workers }: Facts): { findings: Finding[]; notes: string[] } {
  const command = (slug: string, what: string) => `npm run tenants -- move ${slug}${what}`;
  const findings = moves.flatMap(({ slug, state, failedStep, error }): Finding[] => {
    const find = (why: string, remedy: string): Finding[] => [
      { kind: 'unfinished_move', problem: `the move of tenant ${slug} is ${state}: ${why}`, remedy },
    ];
    if (state === MoveState.FAILED)
      return find(`${failedStep}: ${error}`, `${command(slug, ' --cancel')}, or try again.`);
    if (failedStep) return find(`${failedStep} failed: ${error}`, 'remove the cause: it is tried again by itself.');
    if (workers === 0 && state !== MoveState.SWITCHED)
      return find('no gateway is running', 'start one: it goes on by itself.');
    return [];
  });
  const waiting = moves.filter(({ state }) => state === MoveState.SWITCHED);
  const notes = waiting.map(
    ({ slug }) =>
      `tenant ${slug} has been moved, and its former database still follows: ${command(slug, ' --finish')} drops it, --undo moves it back`,
  );
  return { findings, notes };
}
