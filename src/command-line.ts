/** What the commands for operators share: finding the installation, and how they end. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describeFailure } from './components/describe-failure.ts';
import { type Config, ConfigError } from './config.ts';
import { readOnlySession } from './db/control.ts';
import { clusterIn, embeddedUrl, runningServer } from './db/embedded-cluster.ts';
import { startEmbeddedServer } from './db/embedded-server.ts';
import { loadGenerations } from './db/key-generations.ts';
import { Keys } from './db/keys.ts';
import { existingSecrets, type RootSecrets, rootSecrets, storedSecrets } from './db/secrets.ts';
import { AppError } from './errors.ts';

/** An installation whose databases can be reached. */
export interface Installation {
  /** Of the control-plane database. */
  databaseUrl: string;
  /** Absent where nobody knows the secret. */
  keys?: Keys;
  /** Whether the whole PostgreSQL server is the installation's, as the embedded one is. */
  ownServer: boolean;
}

/** A server that is starting or shutting down is waited for so long. */
const PATIENCE_MS = 30_000;

/**
 * Looks at the installation that the environment names, its gateway running or not.
 *
 * @param look may be called again, when a gateway comes or goes meanwhile.
 * @param make an embedded server with an empty control database, where there is none yet.
 * @throws {ConfigError} when there is none.
 */
export async function withInstallation<T>(
  config: Config,
  look: (found: Installation) => Promise<T>,
  make = false,
): Promise<T> {
  const stored = await existingSecrets(config.dataDir);
  const secrets = rootSecrets(config, stored);
  const lookAt = async (databaseUrl: string, ownServer: boolean) =>
    look({ databaseUrl, keys: secrets && (await keysOf(databaseUrl, secrets, make)), ownServer });
  if (config.databaseUrl) return lookAt(config.databaseUrl, false);

  const { dataDir } = config;
  const made = await stat(join(clusterIn(dataDir), 'PG_VERSION')).catch(() => undefined);
  if (!make && (!stored || !made)) {
    throw new ConfigError(`There is no installation in ${dataDir}: set DATA_DIR to its folder, or DATABASE_URL.`);
  }
  const password = (stored ?? (await storedSecrets(dataDir))).postgresPassword;
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    const running = await runningServer(dataDir);
    try {
      if (running) return await lookAt(embeddedUrl(running.port, password), true);
      const server = await startEmbeddedServer({ dataDir, password, notice: say, asItIs: !make });
      try {
        return await lookAt(server.url, true);
      } finally {
        await server.stop();
      }
    } catch (error) {
      // Meanwhile a gateway came, or one went and its server with it.
      const changed = (await runningServer(dataDir))?.pid !== running?.pid || isInBetween(error);
      if (!changed || Date.now() > deadline) throw error;
    }
  }
}

/**
 * The keys as the control database says them. Of one that cannot be read those that are derived from the secret: whoever looks at it
 * finds out why.
 *
 * @param make whether it may be about to be replaced, so that its secret need not be known.
 * @throws {ConfigError} where the secret is not the one in use.
 */
async function keysOf(databaseUrl: string, { secret, former }: RootSecrets, make: boolean): Promise<Keys> {
  const keys = new Keys(secret, former);
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5000,
    options: readOnlySession('keys'),
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await loadGenerations(client, keys);
  } catch (error) {
    if (error instanceof ConfigError && !make) throw error;
  } finally {
    await client.end().catch(() => {});
  }
  return keys;
}

/** @throws {ConfigError} without a secret. */
export function neededKeys({ keys }: Installation): Keys {
  if (keys) return keys;
  throw new ConfigError(
    'JWT_SECRET is needed: what the control database holds is sealed with a key that is derived from it.',
  );
}

/** What a server answers, or does not yet, while it starts and shuts down. */
const isInBetween = (error: unknown) =>
  ['57P03', '57P01', 'ECONNREFUSED', 'ECONNRESET'].includes((error as { code?: string }).code ?? '');

export const say = (line: string) => process.stdout.write(`${line}\n`);

/** Asks at a terminal. @throws {ConfigError} where nobody can be asked. */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) throw new ConfigError('Nothing has been changed: say --yes to do it without being asked.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    terminal.close();
  }
}

/** What the platform refuses is told as the API tells it. @param tell in which words. @throws {ConfigError} */
export async function refusalsTold<T>(
  work: () => Promise<T>,
  tell: (refusal: AppError) => string = ({ message }) => message,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new ConfigError(tell(error));
  }
}

/** Runs a command. @param work answers the exit code; what it throws is told, and the code is 2. */
export async function runCommand(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = 2;
  }
}

/** Runs work that ends by itself when its signal says so, on the first Ctrl-C, and then with 130. A second one ends the process. */
export async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write('stopped\n');
    return 130;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  // Undefined table.
  if ((error as { code?: string }).code === '42P01') {
    return 'Could not look: no gateway of this version has set this database up.';
  }
  return `Could not look: ${describeFailure(error)}.`;
}
