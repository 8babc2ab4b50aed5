/** Backups as an operator makes and restores them, and what databases hold, to compare. */
import { Keys } from '../../src/db/keys.ts';
import { chooseArchives } from '../../src/domain/backup/choose.ts';
import { planRestore } from '../../src/domain/backup/plan.ts';
import { restore } from '../../src/domain/backup/restore.ts';
import { backUp, type Wanted } from '../../src/domain/backup/run.ts';
import { KeptFiles } from '../../src/domain/kept-files.ts';
import { JWT_SECRET } from './app.ts';
import { sql } from './database.ts';

const keys = new Keys(JWT_SECRET);

/** @returns the folder of the backup. */
export const takeBackup = (
  databaseUrl: string,
  out: string,
  what: Wanted['what'] = 'all',
  {
    dataDir = out,
    ...options
  }: {
    signal?: AbortSignal;
    say?: (line: string) => void;
    keep?: number;
    /** Where archives of archived tenants are. */
    dataDir?: string;
  } = {},
): Promise<string> =>
  backUp({
    databaseUrl,
    keys,
    out,
    what,
    keptAt: (code) => new KeptFiles({ dataDir, dataDirShared: true }, code),
    signal: new AbortController().signal,
    say: () => {},
    ...options,
  });

export async function restoreBackup(
  databaseUrl: string,
  paths: string[],
  {
    tenant,
    secret = JWT_SECRET,
    keepServers,
    serverName,
  }: { tenant?: string; secret?: string; keepServers?: boolean; serverName?: string } = {},
): Promise<string[]> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const used = new Keys(secret);
  const chosen = await chooseArchives(paths, used, say, tenant);
  lines.push(...(await planRestore({ databaseUrl, keys: used, keepServers, serverName }, chosen)));
  await restore(
    { databaseUrl, keys: used, signal: new AbortController().signal, say, keepServers, serverName },
    chosen,
  );
  return lines;
}

/** What restoring itself changes, by table of a tenant's database. */
export const TENANT_CHANGES = {
  mikro_orm_migrations: 'false',
  // Those that hold again have numbers that come after all that were told.
  schedule_versions: 'seq < 1000',
};

/**
 * Every row of every table, as text, by table.
 *
 * @param where leaves out rows, by table. @param without columns that are left out.
 */
export async function everythingIn(
  url: string,
  where: Record<string, string> = {},
  without: string[] = [],
): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }>(
    url,
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
  );
  const all: Record<string, string[]> = {};
  for (const { name } of tables) {
    const text = `select (to_jsonb(t) - $1::text[])::text as row from "${name}" t where ${where[name] ?? 'true'} order by 1`;
    all[name] = (await sql<{ row: string }>(url, text, [without])).map(({ row }) => row);
  }
  return all;
}
