/** Links the entries of the audit logs soon after they are written; which process does it does not matter. */
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { Services } from '../context.ts';
import { type Chain, controlChain, headOf, linkEntries, tenantChain } from '../domain/audit-chain.ts';
import { type End, provesRestore } from '../domain/backup/restored-end.ts';
import { publishOn } from '../live/event-log.ts';

export const SEAL_MS = 1000;

/**
 * The ends as this gateway left them, by tenant: whoever rewrites a chain may rewrite what a database says of its end as
 * well. Forgotten with the process, so that an operator can put things right.
 */
const left = new WeakMap<Services, LRUCache<string, End>>();
const CONTROL = 'control plane';

const endsOf = (services: Services): LRUCache<string, End> => {
  const ends = left.get(services) ?? new LRUCache<string, End>({ max: 20_000 });
  left.set(services, ends);
  return ends;
};

/** Takes note of chains that end elsewhere because a tenant was restored (domain/backup). */
export function followRestores(services: Services): void {
  services.bus.on('restore', ({ payload: { tenantId, seq, hash, proof } }) => {
    if (!provesRestore(services.keys, proof, tenantId, { seq, hash })) {
      services.log.error({ orgId: tenantId }, 'a restore was told of that did not happen');
      return;
    }
    endsOf(services).set(tenantId, { seq, hash });
  });
}

/** One round for the control plane's own log. */
export async function sealControl(services: Services): Promise<void> {
  const { control, log } = services;
  const client = await control.pool.connect();
  let failed = true;
  try {
    const { rows } = await client.query('select exists (select from audit_unlinked) as waiting');
    if (rows[0]!.waiting) {
      const end = await seal(client, controlChain, services, CONTROL);
      if (end) await tell(client, end);
      else log.error('the audit log was tampered with: run npm run audit:verify');
    }
    failed = false;
  } finally {
    client.release(failed);
  }
}

/** A gateway that dies before this is made up for by the next one that links something. */
async function tell(client: pg.ClientBase, { seq: upTo }: End): Promise<void> {
  await client.query('begin');
  await publishOn(client, 'audit', { upTo });
  await client.query('commit');
}

/**
 * Writes down how far a chain came, unless the tenant was restored since the version was read: a restore changes it, and the end
 * in hand is then that of a database which is none of the tenant's any more. The lock waits for a restore that is not committed.
 */
const WRITE_END = `
  with held as (select id from organizations where id = $1 and token_version = $2 for share),
       written as (
         insert into activity_heads as known (org_id, seq, hash) select id, $3::bigint, decode($4, 'hex') from held
         on conflict (org_id) do update set seq = excluded.seq, hash = excluded.hash where known.seq < excluded.seq)
  select from held`;

/** Links what waits in a tenant's log, and lets the control plane know the end of its chain. */
export async function sealTenant(services: Services, orgId: string): Promise<void> {
  const { servers, control, log } = services;
  const { rows } = await control.pool.query<End & { version: number }>(
    `select o.token_version as version, coalesce(h.seq, 0)::int as seq, coalesce(encode(h.hash, 'hex'), '') as hash
       from organizations o left join activity_heads h on h.org_id = o.id where o.id = $1`,
    [orgId],
  );
  if (!rows[0]) return;
  const { version, ...known } = rows[0];
  const server = await servers.of(orgId);
  const end = await server.asOwner(server.nameFor(orgId), (client) =>
    seal(client, tenantChain(orgId), services, orgId, known),
  );
  if (!end) {
    // What is known stays known, for whoever verifies.
    log.error({ orgId }, 'the activity log of a tenant was tampered with: run npm run audit:verify');
    return;
  }
  if (end.seq === 0) return;
  const { rowCount } = await control.pool.query(WRITE_END, [orgId, version, end.seq, end.hash]);
  if (!rowCount) await sealTenant(services, orgId);
}

/**
 * Goes on with a chain that still holds the ends that are known: it is not to sign what somebody made of it.
 *
 * @returns its new end; undefined for a chain that does not.
 */
async function seal(
  client: pg.ClientBase,
  chain: Chain,
  services: Services,
  name: string,
  known?: End,
): Promise<End | undefined> {
  const ends = endsOf(services);
  const remembered = ends.get(name);
  for (const end of [known, remembered]) if (end?.seq && !(await holds(client, chain, end))) return undefined;
  await linkEntries(client, chain, services.keys);
  const head = await headOf(client, chain);
  const end = head ? { seq: head.seq, hash: head.hash.toString('hex') } : undefined;
  // Not over what a restore has told meanwhile.
  if (end && ends.get(name) === remembered) ends.set(name, end);
  return end ?? { seq: 0, hash: '' };
}

/** Whether the chain still has the link that was its end. */
async function holds(client: pg.ClientBase, { links }: Chain, { seq, hash }: End): Promise<boolean> {
  const { rowCount } = await client.query(`select from ${links} where seq = $1 and hash = decode($2, 'hex')`, [
    seq,
    hash,
  ]);
  return rowCount === 1;
}
