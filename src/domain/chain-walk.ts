/** Walks one chain of audit entries and finds the first place where it is not as it was written. Changes nothing. */
import type pg from 'pg';
import type { Keys } from '../db/keys.ts';
import { timeOf } from '../instants.ts';
import { type Chain, contentOfChain, type Head } from './audit-chain.ts';
import { contentOf, digestOf, type EntryContent } from './audit-digest.ts';

/** The first entry of a chain that is not as it was, as far as it is known. */
export interface Break {
  /** Its place in the chain; absent where it has none. */
  seq?: number;
  id?: string;
  action?: string;
  /** RFC 3339. */
  time?: string;
  problem: string;
}

export interface Verdict {
  entries: number;
  /** How many of them wait for their link. */
  unlinked: number;
  head?: Head;
  broken?: Break;
}

const BATCH = 500;
/** An entry is linked a second or two after its time; clocks of machines, and a pause of all gateways, may add to it. */
const LATEST_LINK_MS = 60 * 60_000;
/** Gateways of a version that wrote no digests may run beside newer ones for so long. */
const OLDER_GATEWAYS_MS = 24 * 60 * 60_000;

interface EntryRow extends EntryContent {
  digest: string | null;
}

type LinkRow = { seq: string; entryId: string; hash: string } & (EntryRow | { id: null });

const entryColumns = (chain: Chain) => `encode(l.digest, 'hex') as digest, ${contentOfChain(chain)}`;

/**
 * @param client in a transaction that sees one snapshot.
 * @param known ends that the chain is known to have had.
 */
export async function walkChain(client: pg.ClientBase, chain: Chain, keys: Keys, known: Head[]): Promise<Verdict> {
  const walk = new Walk(chain, keys, known);
  for (let rows = await links(client, chain); rows.length > 0; rows = await links(client, chain, rows.at(-1)!.seq)) {
    for (const row of rows) {
      const broken = walk.link(row);
      if (broken) return { ...walk.verdict, broken };
    }
  }
  const broken = walk.end() ?? (await lookBesideChain(client, chain, walk));
  return { ...walk.verdict, ...(broken && { broken }) };
}

async function links(client: pg.ClientBase, chain: Chain, after?: string): Promise<LinkRow[]> {
  const { rows } = await client.query<LinkRow>(
    `select c.seq::text, c.entry_id as "entryId", encode(c.hash, 'hex') as hash, ${entryColumns(chain)}
       from ${chain.links} c left join ${chain.log} l on l.id = c.entry_id
      where $1::bigint is null or c.seq > $1 order by c.seq limit ${BATCH}`,
    [after],
  );
  return rows;
}

/** Entries without a link, and what is to be linked and not there any more. */
async function lookBesideChain(client: pg.ClientBase, chain: Chain, walk: Walk): Promise<Break | undefined> {
  for (let after: string | undefined; ; ) {
    const { rows } = await client.query<EntryRow & { waits: boolean }>(
      `select u.entry_id is not null as waits, ${entryColumns(chain)}
         from ${chain.log} l left join ${chain.unlinked} u on u.entry_id = l.id
        where ($1::uuid is null or l.id > $1) and not exists (select from ${chain.links} c where c.entry_id = l.id)
        order by l.id limit ${BATCH}`,
      [after],
    );
    for (const row of rows) {
      const broken = walk.waiting(row);
      if (broken) return broken;
    }
    if (rows.length < BATCH) break;
    after = rows.at(-1)!.id;
  }
  const { rows } = await client.query<{ id: string }>(
    `select entry_id as id from ${chain.unlinked} u where not exists (select from ${chain.log} l where l.id = u.entry_id)
      order by entry_id limit 1`,
  );
  return rows[0] && { ...unknownEntry(rows[0].id), problem: 'it was removed before it was linked' };
}

class Walk {
  readonly verdict: Verdict = { entries: 0, unlinked: 0 };
  readonly #keys: Keys;
  readonly #known: Head[];
  #hash: Buffer;
  #newest = 0;
  #firstWithDigest?: number;
  #lastId?: string;

  constructor(chain: Chain, keys: Keys, known: Head[]) {
    this.#keys = keys;
    this.#known = known;
    this.#hash = chain.origin;
  }

  link(row: LinkRow): Break | undefined {
    const seq = Number(row.seq);
    const next = this.verdict.entries + 1;
    if (seq > next) return { seq: next, problem: 'its link was removed' };
    if (seq < next) return { seq, ...unknownEntry(row.entryId), problem: 'its link was put in' };
    if (row.id === null) return { seq, ...unknownEntry(row.entryId), problem: 'it was removed' };
    const digest = digestOf(contentOf(row));
    const problem = this.#judge(row, digest) ?? this.#judgeLink(seq, row, digest) ?? this.#judgeTime(row);
    if (problem) return { seq, ...named(row), problem };
    this.verdict.entries = seq;
    this.verdict.head = { seq, hash: this.#hash };
    this.#lastId = row.id;
    return undefined;
  }

  /** After the last link. */
  end(): Break | undefined {
    const { entries } = this.verdict;
    const known = Math.max(0, ...this.#known.map(({ seq }) => seq));
    if (entries >= known) return undefined;
    const problem = `the chain is cut off after entry ${entries}: ${known} are known to have been linked`;
    return { ...(this.#lastId && { seq: entries, ...unknownEntry(this.#lastId) }), problem };
  }

  /** An entry that has no link. */
  waiting(row: EntryRow & { waits: boolean }): Break | undefined {
    const beside = row.waits ? undefined : 'it was put in by hand, or its link was removed: it is not waiting for one';
    const problem = this.#judge(row, digestOf(contentOf(row))) ?? beside ?? this.#judgeTime(row);
    if (problem) return { ...named(row), problem };
    this.verdict.entries += 1;
    this.verdict.unlinked += 1;
    return undefined;
  }

  #judge({ digest: written }: EntryRow, digest: Buffer): string | undefined {
    return written !== null && written !== digest.toString('hex')
      ? 'its content differs from what was written'
      : undefined;
  }

  #judgeLink(seq: number, { hash: written, createdAt }: LinkRow & EntryRow, digest: Buffer): string | undefined {
    const hash = Buffer.from(written, 'hex');
    const until = this.#keys.linkedUntil(this.#hash, digest, hash);
    if (until === undefined) {
      return 'it does not fit its link: the link was altered, or the entry together with its digest';
    }
    if (Date.parse(createdAt) > until + LATEST_LINK_MS) {
      return `its link was made with a key that had been replaced at ${new Date(until).toISOString()}`;
    }
    if (this.#known.some((known) => known.seq === seq && !known.hash.equals(hash))) {
      return 'its link is not the one that is known: the chain was written anew';
    }
    this.#hash = hash;
    return undefined;
  }

  /** Whoever may write to the log can add to it, but only to its end. */
  #judgeTime({ id, createdAt, digest }: EntryRow): string | undefined {
    const time = Math.min(timeOf(id).getTime(), Date.parse(createdAt));
    // RFC 9562 section 4.2.
    if (id[14] !== '7' || Number.isNaN(time)) return 'it was put in by hand: the gateway makes no such ids and times';
    if (time < this.#newest - LATEST_LINK_MS) {
      return `it was put in between: it came after entries of ${new Date(this.#newest).toISOString()}`;
    }
    if (digest === null && this.#firstWithDigest !== undefined && time > this.#firstWithDigest + OLDER_GATEWAYS_MS) {
      return 'it was put in by hand: it lacks the digest that the gateway writes';
    }
    if (digest !== null) this.#firstWithDigest ??= time;
    this.#newest = Math.max(this.#newest, time);
    return undefined;
  }
}

const named = ({ id, action, createdAt }: EntryRow) => ({ id, action, time: createdAt });
const unknownEntry = (id: string) => ({ id, time: timeOf(id).toISOString() });
