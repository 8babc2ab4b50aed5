/**
 * Which keys the installation has had, as its control database keeps them: a row for each `JWT_SECRET`, all of them sealed with the
 * newest one (docs/decisions/0040).
 */
import { nowMs } from '../clock.ts';
import { ConfigError } from '../config.ts';
import type { Queryable } from './control.ts';
import { KeySet } from './key-set.ts';
import type { Generation, Keys } from './keys.ts';

interface Row {
  sealedKeys: string;
  usedFrom: number;
}

const ALL = `
  select sealed_keys as "sealedKeys", (extract(epoch from used_from) * 1000)::float8 as "usedFrom"
    from key_generations order by number`;

/**
 * As they are written down, the oldest first.
 *
 * @returns undefined where none are: no gateway of this version has been started on the database.
 * @throws {ConfigError} where no key that is known opens them.
 */
export async function readGenerations(client: Queryable, keys: Keys): Promise<Generation[] | undefined> {
  const { rows: found } = await client.query(`select to_regclass('key_generations') is not null as there`);
  const rows = found[0].there ? (await client.query<Row>(ALL)).rows : [];
  if (rows.length === 0) return undefined;
  return rows.map(({ sealedKeys, usedFrom }) => {
    const text = keys.tryOpen(sealedKeys);
    if (text === undefined) throw otherSecret(keys, rows.length > 1 ? rows.at(-1)!.usedFrom : undefined);
    return { set: KeySet.from(text), usedFrom };
  });
}

/**
 * Lets the keys be those that the installation has.
 *
 * @returns false where it has none written down.
 * @throws {ConfigError} where none of the secrets that were given is the one in use.
 */
export async function loadGenerations(client: Queryable, keys: Keys): Promise<boolean> {
  const generations = await readGenerations(client, keys);
  if (!generations) return false;
  const { id } = generations.at(-1)!.set;
  if (!keys.given.some((set) => set.id === id)) throw otherSecret(keys, generations.at(-1)!.usedFrom);
  keys.adopt(generations);
  return true;
}

/** Anything sealed by an installation that an older version has set up. */
const EVIDENCE = `
  select sealed_password as sealed from tenant_databases
   union all select sealed_key from signing_keys
   union all select sealed_url from database_servers where sealed_url is not null limit 1`;

/** The same, writing down the keys in use where nobody has yet. To be called by one process at a time. @throws {ConfigError} */
export async function settleGenerations(client: Queryable, keys: Keys): Promise<void> {
  if (await loadGenerations(client, keys)) return;
  const { rows } = await client.query<{ sealed: string }>(EVIDENCE);
  const [sealed] = rows.map((row) => row.sealed);
  const set = sealed === undefined ? keys.given[0] : keys.given.find((one) => one.tryOpen(sealed) !== undefined);
  if (!set) throw otherSecret(keys);
  const generations = [{ set, usedFrom: nowMs() }];
  await writeGenerations(client, generations);
  keys.adopt(generations);
}

/** Puts these in the place of those that are written down, sealed with the last of them. */
export async function writeGenerations(client: Queryable, generations: readonly Generation[]): Promise<void> {
  const newest = generations.at(-1)!.set;
  await client.query(
    `with former as (delete from key_generations where number > $1)
     insert into key_generations (number, sealed_keys, used_from)
     select number, keys, used from unnest($2::int[], $3::text[], $4::timestamptz[]) _(number, keys, used)
     on conflict (number) do update set sealed_keys = excluded.sealed_keys, used_from = excluded.used_from`,
    [
      generations.length,
      generations.map((_, place) => place + 1),
      generations.map(({ set }) => newest.seal(set.toText())),
      generations.map(({ usedFrom }) => new Date(usedFrom).toISOString()),
    ],
  );
}

function otherSecret({ given }: Keys, changedAt?: number): ConfigError {
  const neither = given.length > 1 ? ', nor is JWT_SECRET_FORMER' : '';
  const since = changedAt === undefined ? '' : `: it was changed at ${new Date(changedAt).toISOString()}`;
  return new ConfigError(
    `JWT_SECRET (or secrets.json in DATA_DIR) is not the one that this installation uses${neither}${since}. Give it the one in use.`,
  );
}
