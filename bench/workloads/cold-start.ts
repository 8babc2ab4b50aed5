/**
 * W9: from the start of the process to the first answered request, on a data folder that is there, beside bare Node, Fastify and
 * the same PostgreSQL on a copy of that folder. Both start their own PostgreSQL; `/readyz` of both asks it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { provision, superAdmin } from '../../tests/support/actors.ts';
import { START } from '../../tests/support/built.ts';
import { postgresGone, temporaryFolder } from '../../tests/support/gateway-process.ts';
import { SUPER_ADMIN } from '../../tests/support/super-admin.ts';
import { pinned } from '../machine.ts';
import { median } from '../rounds.ts';
import { endsWithBench } from '../servers.ts';
import type { Bench, Workload } from './workload.ts';

/** In the folder. */
const TENANTS = 5;
const START_MS = 60_000;
const BARE = [join(import.meta.dirname, '..', 'peers', 'cold-start.mjs')];

export const W9: Workload = {
  name: 'W9',
  title: 'cold start to the first answered request',
  tenants: 10_000,
  async run(bench) {
    const { settings, say, platform } = bench;
    const [own, others] = [join(await temporaryFolder(), 'data'), join(await temporaryFolder(), 'data')];
    const port = await freePort();
    const env = {
      PORT: String(port),
      JWT_SECRET: platform.jwtSecret,
      COMPILE_CACHE: join(platform.folder, 'compiled'),
    };
    const gateway = () =>
      startUp(bench, START, own, port, {
        ...env,
        SUPER_ADMIN_EMAIL: SUPER_ADMIN.email,
        SUPER_ADMIN_PASSWORD: SUPER_ADMIN.password,
      });
    const first = await gateway();
    const admin = await superAdmin({ url: `http://127.0.0.1:${port}` });
    for (let count = 0; count < TENANTS; count++) await provision(admin);
    await first.stop();
    // The server's account owns its part of it.
    execFileSync('cp', ['-a', own, others]);
    const { postgresPassword } = JSON.parse(await readFile(join(own, 'secrets.json'), 'utf8'));
    const bare = () => startUp(bench, BARE, others, port, { ...env, POSTGRES_PASSWORD: postgresPassword });
    // Compiled code is kept from now on.
    for (const start of [gateway, bare]) await (await start()).stop();
    const rounds: { gateway: number; bare: number }[] = [];
    for (let round = 1; round <= settings.rounds; round++) {
      const took = { gateway: 0, bare: 0 };
      for (const name of round % 2 === 0 ? (['bare', 'gateway'] as const) : (['gateway', 'bare'] as const)) {
        const started = await { gateway, bare }[name]();
        took[name] = started.ms;
        await started.stop();
      }
      rounds.push(took);
      say(
        `  W9 round ${round} of ${settings.rounds}: gateway ${took.gateway.toFixed(0)} ms, bare ${took.bare.toFixed(0)} ms`,
      );
    }
    const of = (name: 'gateway' | 'bare') => median(rounds.map((round) => round[name])).toFixed(0);
    return {
      findings: [
        {
          what: 'to the bare start',
          value: median(rounds.map(({ gateway, bare }) => gateway / bare)),
          goal: { at: 'most', value: 2 },
        },
      ],
      notes: [`Gateway ${of('gateway')} ms, bare ${of('bare')} ms.`],
    };
  },
};

interface Started {
  /** From the start to the first answer. */
  ms: number;
  /** Ends it and waits for its PostgreSQL. */
  stop(): Promise<void>;
}

async function startUp(
  { platform }: Bench,
  script: readonly string[],
  dataDir: string,
  port: number,
  env: Record<string, string>,
): Promise<Started> {
  const [command, args] = pinned(platform.pins.server, [process.execPath, ...script]);
  const log = openSync(join(platform.folder, 'cold-start.log'), 'a');
  const began = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', DATA_DIR: dataDir, ...env },
  });
  endsWithBench(child);
  const ms = await firstAnswer(child, port, began);
  return {
    ms,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await postgresGone(dataDir);
    },
  };
}

/** Asked again and again, from the moment on at which a bare process could answer. */
async function firstAnswer(child: ChildProcess, port: number, began: number): Promise<number> {
  for (; child.exitCode === null && performance.now() - began < START_MS; await sleep(5)) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (isReady) return performance.now() - began;
  }
  child.kill('SIGKILL');
  throw new Error('a server did not start');
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer().on('error', reject);
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address() as { port: number };
    probe.close(() => resolve(port));
  });
  return promise;
}
