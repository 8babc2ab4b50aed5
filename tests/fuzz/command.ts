/**
 * `npm run fuzz -- [--requests 100000] [--seed N] [--only text] [--docs]`: sends so many requests, half of them hostile, to every
 * operation of a gateway of its own (docs/fuzzing.md). The same seed draws the same requests. Ends with 1 on any finding, and
 * where a full run never got through to some operation. `--docs` puts the figures into the page at its end.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillPlaces } from '../../bench/report/places.ts';
import { startEmbeddedServer } from '../../src/db/embedded-server.ts';
import { ensureBuilt } from '../support/built.ts';
import { commandArguments } from '../support/command-arguments.ts';
import { cleanUp, startGateway, temporaryFolder } from '../support/gateway-process.ts';
import { SUPER_ADMIN } from '../support/super-admin.ts';
import { type FuzzOptions, fuzz } from './fuzz.ts';
import { PASSWORD_MARK, type Target } from './model.ts';
import { ENVIRONMENT, startOtherServers } from './platform.ts';
import { described, figures, type Tally } from './report.ts';

/** From so many requests on, a run over all operations gets through to each. */
const FULL = 100_000;
/** So many findings are printed in full. */
const PRINTED = 30;
const USAGE = 'Usage: npm run fuzz -- [--requests 100000] [--seed N] [--only "POST /api/agents"] [--docs]';
const PAGE = new URL('../../docs/fuzzing.md', import.meta.url);
const print = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values } = commandArguments(USAGE, {
    options: {
      requests: { type: 'string', default: String(FULL) },
      seed: { type: 'string' },
      only: { type: 'string', default: '' },
      docs: { type: 'boolean', default: false },
    },
  });
  const [requests, seed] = [Number(values.requests), Number(values.seed ?? randomInt(2 ** 31))];
  if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(seed)) {
    print(USAGE);
    return 2;
  }
  print(
    `seed ${seed}; the same again: npm run fuzz -- --seed ${seed} --requests ${requests}${values.only && ` --only '${values.only}'`}`,
  );
  ensureBuilt();
  let stopped = false;
  process.once('SIGINT', () => {
    stopped = true;
    print('\nending after this batch');
  });
  try {
    return await withGateway((target) =>
      run(target, { requests, seed, only: values.only, docs: values.docs, stopped: () => stopped }),
    );
  } finally {
    await cleanUp();
  }
}

async function withGateway<T>(work: (target: Target) => Promise<T>): Promise<T> {
  const password = randomBytes(12).toString('hex');
  const jwtSecret = randomBytes(32).toString('hex');
  const server = await startEmbeddedServer({
    dataDir: await temporaryFolder(),
    password,
    notice: () => {},
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  const servers = await startOtherServers();
  let unread = '';
  try {
    const superAdmin = { email: SUPER_ADMIN.email, password: `${PASSWORD_MARK}-root` };
    const gateway = await startGateway(
      {
        DATABASE_URL: server.url,
        DATA_DIR: join(await temporaryFolder(), 'data'),
        JWT_SECRET: jwtSecret,
        SUPER_ADMIN_EMAIL: superAdmin.email,
        SUPER_ADMIN_PASSWORD: superAdmin.password,
        ...ENVIRONMENT,
      },
      {
        told(text) {
          unread += text;
        },
      },
    );
    const log = () => {
      const lines = unread.split('\n');
      unread = lines.pop()!;
      return lines;
    };
    const result = await work({
      url: gateway.url,
      databaseUrl: server.url,
      log,
      superAdmin,
      servers,
      secrets: [password, jwtSecret, servers.near.password, servers.far.password],
    });
    await gateway.end('SIGTERM');
    return result;
  } finally {
    await servers.stop();
    await server.stop();
  }
}

async function run(target: Target, options: FuzzOptions & { docs: boolean }): Promise<number> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  let shownAt = 0;
  const progress = ({ sent }: Tally, findings: number) => {
    if (seconds() - shownAt < (process.stdout.isTTY ? 0.5 : 15) && sent < options.requests) return;
    shownAt = seconds();
    const rate = sent / shownAt;
    const rest = Math.ceil((options.requests - sent) / rate);
    const line = `${sent} of ${options.requests} requests, ${findings} findings, ${Math.round(rate)} a second, ${rest} s to go`;
    process.stdout.write(process.stdout.isTTY ? `\r${line}\u001b[K` : `${line}\n`);
  };
  const { tally, findings, tenants } = await fuzz(target, { ...options, progress });
  const facts = { seed: options.seed, seconds: seconds(), findings: findings.length, tenants };
  print(`\n${figures(tally, facts)}\n`);
  for (const finding of findings.slice(0, PRINTED)) print(`${described(finding, target.url)}\n`);
  const never = tally.neverOk;
  if (never.length > 0) print(`no request got through to:\n  ${never.join('\n  ')}`);
  if (options.docs) {
    writeFileSync(PAGE, fillPlaces(readFileSync(PAGE, 'utf8'), { figures: figures(tally, facts) }, 'docs/fuzzing.md'));
  }
  print(`${tally.sent} requests, ${findings.length} findings (seed ${options.seed}, ${Math.round(seconds())} s)`);
  if (findings.length > 0) return 1;
  if (options.stopped?.()) return 130;
  return never.length > 0 && !options.only && options.requests >= FULL ? 1 : 0;
}

process.exitCode = await main();
