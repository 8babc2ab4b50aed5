/**
 * Links entries of a log into a chain after their commit, so that no writer waits for another: each link's hash is keyed
 * and covers the hash before it (docs/decisions/0013).
 */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Keys } from '../db/keys.ts';
import { databaseError } from '../errors.ts';
import { contentColumns, contentOf, digestOf, type EntryContent } from './audit-digest.ts';

/** A log and the tables of its chain. */
export interface Chain {
  log: 'audit_entries' | 'activity_log';
  links: 'audit_chain' | 'activity_chain';
  /** Of those entries that wait for their link. */
  unlinked: 'audit_unlinked' | 'activity_unlinked';
  /** Stands before the first link: chains cannot be taken for one another. */
  origin: Buffer;
}

/** The newest link. */
export interface Head {
  seq: number;
  hash: Buffer;
}

const origin = (name: string) => createHash('sha256').update(name).digest();

export const controlChain: Chain = {
  log: 'audit_entries',
  links: 'audit_chain',
  unlinked: 'audit_unlinked',
  origin: origin('control plane'),
};

export const tenantChain = (orgId: string): Chain => ({
  log: 'activity_log',
  links: 'activity_chain',
  unlinked: 'activity_unlinked',
  origin: origin(`tenant ${orgId}`),
});

export const contentOfChain = ({ log }: Chain): string => contentColumns(log === 'audit_entries');

/** Entries that one transaction links. */
const BATCH = 1000;
/** Batches in one go; what is left is for the next. */
const MOST_BATCHES = 20;
const UNIQUE_VIOLATION = '23505';

/** As one whose tables are locked by somebody is not to hold up the others. */
const BEGIN = "begin; set local lock_timeout = '2s'; set local statement_timeout = '20s'";

/** Links what waits. @returns how many it linked. */
export async function linkEntries(client: pg.ClientBase, chain: Chain, keys: Keys): Promise<number> {
  let linked = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const count = await linkBatch(client, chain, keys);
    linked += count;
    if (count < BATCH) break;
  }
  return linked;
}

/**
 * The next links take the numbers after the last one, so that of two sealers that race one fails at the first of them, and
 * leaves it to the other.
 */
async function linkBatch(client: pg.ClientBase, chain: Chain, keys: Keys): Promise<number> {
  await client.query(BEGIN);
  try {
    const count = await appendLinks(client, chain, keys);
    await client.query('commit');
    return count;
  } catch (error) {
    await client.query('rollback');
    if (databaseError(error)?.code === UNIQUE_VIOLATION) return 0;
    throw error;
  }
}

async function appendLinks(client: pg.ClientBase, chain: Chain, keys: Keys): Promise<number> {
  const last = await headOf(client, chain);
  const waiting = await digestsWaiting(client, chain);
  if (waiting.length === 0) return 0;
  let hash = last?.hash ?? chain.origin;
  const hashes = waiting.map(({ digest }) => {
    hash = keys.chain(hash, digest);
    return hash.toString('hex');
  });
  const ids = waiting.map(({ id }) => id);
  await client.query(
    `insert into ${chain.links} (seq, entry_id, hash)
     select $1::bigint + n, id, decode(hash, 'hex') from unnest($2::uuid[], $3::text[]) with ordinality _(id, hash, n)`,
    [last?.seq ?? 0, ids, hashes],
  );
  await client.query(`delete from ${chain.unlinked} where entry_id = any ($1)`, [ids]);
  return waiting.length;
}

/** The last link of a chain, if it has any. */
export async function headOf(client: pg.ClientBase, { links }: Chain): Promise<Head | undefined> {
  const { rows } = await client.query<{ seq: string; hash: string }>(
    `select c.seq::text, encode(c.hash, 'hex') as hash from ${links} c order by c.seq desc limit 1`,
  );
  return rows[0] && { seq: Number(rows[0].seq), hash: Buffer.from(rows[0].hash, 'hex') };
}

/** In the order of the entries. What was removed before its turn stays on the list, for whoever verifies. */
async function digestsWaiting(client: pg.ClientBase, chain: Chain): Promise<{ id: string; digest: Buffer }[]> {
  const { rows } = await client.query<{ id: string; digest: string | null }>(
    `select l.id, encode(l.digest, 'hex') as digest from ${chain.unlinked} u join ${chain.log} l on l.id = u.entry_id
      order by l.id limit ${BATCH}`,
  );
  const lacking = rows.filter(({ digest }) => digest === null).map(({ id }) => id);
  const made = lacking.length > 0 ? await digestsFromContent(client, chain, lacking) : undefined;
  return rows.map(({ id, digest }) => ({ id, digest: digest === null ? made!.get(id)! : Buffer.from(digest, 'hex') }));
}

/** Of entries that an older gateway wrote: they are taken as they are now. */
async function digestsFromContent(client: pg.ClientBase, chain: Chain, ids: string[]): Promise<Map<string, Buffer>> {
  const { rows } = await client.query<EntryContent>(
    `select ${contentOfChain(chain)} from ${chain.log} l where l.id = any ($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, digestOf(contentOf(row))]));
}
