/**
 * `npm run doctor`: exit code 0 when nothing is wrong, 1 with findings, 2 when it could not look. Changes nothing.
 * `npm run doctor -- --zone-data <folder>` also says what that zone data would move.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeFailure } from './components/describe-failure.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { clusterIn, embeddedUrl, runningServer } from './db/embedded-cluster.ts';
import { startEmbeddedServer } from './db/embedded-server.ts';
import { existingSecrets, Keys } from './db/secrets.ts';
import { type Diagnosis, examine } from './domain/doctor.ts';

/** A server that is starting or shutting down is waited for so long. */
const PATIENCE_MS = 30_000;

async function diagnose(config: Config, zoneData: string | undefined): Promise<Diagnosis> {
  const stored = await existingSecrets(config.dataDir);
  const secret = config.jwtSecret ?? stored?.jwtSecret;
  const keys = secret ? new Keys(secret) : undefined;
  if (config.databaseUrl) return examine({ databaseUrl: config.databaseUrl, keys, ownServer: false, zoneData });

  const { dataDir } = config;
  const made = await stat(join(clusterIn(dataDir), 'PG_VERSION')).catch(() => undefined);
  if (!stored || !made) {
    throw new ConfigError(`There is no installation in ${dataDir}: set DATA_DIR to its folder, or DATABASE_URL.`);
  }
  const password = stored.postgresPassword;
  const look = (databaseUrl: string) => examine({ databaseUrl, keys, ownServer: true, zoneData });
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    const running = await runningServer(dataDir);
    try {
      if (running) return await look(embeddedUrl(running.port, password));
      const server = await startEmbeddedServer({ dataDir, password, notice: say, asItIs: true });
      try {
        return await look(server.url);
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

/** What a server answers, or does not yet, while it starts and shuts down. */
const isInBetween = (error: unknown) =>
  ['57P03', '57P01', 'ECONNREFUSED', 'ECONNRESET'].includes((error as { code?: string }).code ?? '');

const say = (line: string) => process.stdout.write(`${line}\n`);

function report({ findings, notes, counts }: Diagnosis): void {
  const { tenants, active, suspended, underWay, databases, roles } = counts;
  const looked = `${tenants} tenants (${active} active, ${suspended} suspended, ${underWay} being made), ${databases} databases, ${roles} roles`;
  for (const { kind, problem, remedy } of findings) say(`${kind}: ${problem} -> ${remedy}`);
  for (const note of notes) say(`note: ${note}`);
  say(findings.length === 0 ? `nothing wrong: ${looked}` : `${findings.length} findings: ${looked}`);
}

/** @throws {ConfigError} when the command line cannot be used. */
async function zoneDataFolder(): Promise<string | undefined> {
  const usage = 'Use: npm run doctor [-- --zone-data <folder of compiled time zones, such as /usr/share/zoneinfo>]';
  let folder: string | undefined;
  try {
    folder = parseArgs({ options: { 'zone-data': { type: 'string' } } }).values['zone-data'];
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${usage}`);
  }
  if (folder !== undefined && !(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw new ConfigError(`${folder} is no folder.\n${usage}`);
  }
  return folder;
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  // Undefined table.
  if ((error as { code?: string }).code === '42P01') {
    return 'Could not look: no gateway of this version has set this database up.';
  }
  return `Could not look: ${describeFailure(error)}.`;
}

try {
  const diagnosis = await diagnose(readConfig(process.env), await zoneDataFolder());
  report(diagnosis);
  process.exitCode = diagnosis.findings.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 2;
}
