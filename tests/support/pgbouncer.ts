import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './actors.ts';
import { sql } from './database.ts';
import { freePort } from './redis-server.ts';

/** A running PgBouncer (Debian's binary) in transaction mode, in front of one PostgreSQL server. */
export interface PgBouncer {
  /** Its address as it is registered. */
  readonly url: string;
  /** Connects its administration to the console of PgBouncer. */
  readonly consoleUrl: string;
  /** From now on it says nothing any more, and no connection breaks. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Whether the one that is installed can keep clients' prepared statements: since 1.21. */
export function canPrepare(): boolean {
  const said = execFileSync('pgbouncer', ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 1 || Number(minor) >= 21;
}

/** @param serverUrl with a superuser, who looks up the passwords of others. */
export async function startPgBouncer(serverUrl: string): Promise<PgBouncer> {
  const { hostname, port: serverPort, username, password } = new URL(serverUrl);
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
  const port = await freePort();
  const users = join(folder, 'users.txt');
  const settings = join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${username}" "${decodeURIComponent(password)}"\n`);
  await writeFile(
    settings,
    `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = ${users}
auth_user = ${username}
auth_query = select usename, passwd from pg_shadow where usename = $1
admin_users = ${username}
default_pool_size = 2
${canPrepare() ? 'max_prepared_statements = 200' : ''}
`,
  );
  // It does not run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const path of [folder, users, settings]) await chmod(path, 0o755);
  const asNobody = isRoot ? ['--reuid', 'nobody', '--clear-groups'] : [];
  // The kernel ends it when the tests die, however they die.
  const child = spawn('setpriv', [...asNobody, '--pdeathsig', 'KILL', 'pgbouncer', settings], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const consoleUrl = Object.assign(new URL(serverUrl), { port: String(port), pathname: '/pgbouncer' }).href;
  await eventually(
    () => Promise.resolve(output),
    (said) => said.includes('process up') || child.exitCode !== null,
  );
  if (child.exitCode !== null) throw new Error(`pgbouncer ended at once: ${output}`);
  return {
    url: `postgresql://127.0.0.1:${port}`,
    consoleUrl,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What goes through it, by database. */
export async function transactionsThrough({ consoleUrl }: PgBouncer): Promise<Map<string, number>> {
  const rows = await sql<{ database: string; total_xact_count: string }>(consoleUrl, 'show stats');
  return new Map(rows.map(({ database, total_xact_count }) => [database, Number(total_xact_count)]));
}
