/**
 * W7: a tenant made, from its POST until it is active, beside the bare `CREATE DATABASE … TEMPLATE` of the same template on the
 * same server. Tenants without a first admin: hashing a password is slow on purpose.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { median } from '../rounds.ts';
import type { Bench, Finding, Workload } from './workload.ts';

/** Of each kind in each round. */
const ONE_BY_ONE = 6;
const AT_ONCE = 4;
const EACH_OF_THEM = 2;
/** More than are prepared. */
const BURST = 40;
const BURST_ROUNDS = 2;
/** Of nothing changing, until the server is held to be idle; and for how long that is waited for. */
const IDLE_MS = 3000;
const IDLE_LIMIT_MS = 60_000;
const ACTIVE_LIMIT_MS = 120_000;
const LOOK_MS = 1;

/** In milliseconds. */
type Make = (name: string) => Promise<number>;

export const W7: Workload = {
  name: 'W7',
  title: 'a tenant made, POST to active',
  tenants: 10_000,
  async run(bench) {
    const { platform, settings, say } = bench;
    const { gateway } = platform;
    const pool = new pg.Pool({ connectionString: platform.databases.gateway, max: BURST });
    try {
      const template = await templateOf(pool);
      const untilActive = watchActive(pool);
      let made = 0;
      const tenant: Make = (name) => makeTenant(bench, untilActive, `${name}-${++made}`);
      const bare: Make = async (name) => {
        const began = performance.now();
        await pool.query(`create database "${name}_${++made}" template "${template}"`);
        return performance.now() - began;
      };
      const kinds = {
        'one at a time': (make: Make, name: string) => inTurn(make, name, ONE_BY_ONE),
        '4 at once': async (make: Make, name: string) => {
          const workers = Array.from({ length: AT_ONCE }, () => inTurn(make, name, EACH_OF_THEM));
          return (await Promise.all(workers)).flat();
        },
      };
      const ratios = new Map<string, number[]>();
      const times = new Map<string, number[]>();
      const note = (what: string, gatewayMs: number, bareMs: number) => {
        ratios.set(what, [...(ratios.get(what) ?? []), gatewayMs / bareMs]);
        for (const [name, ms] of [
          [`${what}, gateway`, gatewayMs],
          [`${what}, bare`, bareMs],
        ] as const) {
          times.set(name, [...(times.get(name) ?? []), ms]);
        }
        say(`  W7 ${what}: gateway ${gatewayMs.toFixed(0)} ms, bare ${bareMs.toFixed(0)} ms`);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, () => tenant('warm-up')));
      for (let round = 0; round < settings.rounds; round++) {
        for (const [what, run] of Object.entries(kinds)) {
          await idle(pool);
          const own = median(await run(tenant, 'made'));
          await idle(pool);
          const others = await withoutGateway(gateway, () => run(bare, 'bare'));
          note(what, own, median(others));
        }
      }
      for (let round = 0; round < Math.min(BURST_ROUNDS, settings.rounds); round++) {
        await idle(pool);
        const own = await elapsed(() => Promise.all(Array.from({ length: BURST }, () => tenant('burst'))));
        await idle(pool);
        const others = await withoutGateway(gateway, () =>
          elapsed(() => Promise.all(Array.from({ length: AT_ONCE }, () => inTurn(bare, 'burst', BURST / AT_ONCE)))),
        );
        note(`a burst of ${BURST}`, own, others);
      }
      const findings = [...ratios].map(
        ([what, values]): Finding => ({
          what: `${what}, to the bare copy`,
          value: median(values),
          goal: { at: 'most', value: what.startsWith('a burst') ? 1.5 : 1 },
        }),
      );
      const said = [...times].map(([what, values]) => `${what} ${median(values).toFixed(0)} ms`);
      return { findings, notes: [`Medians: ${said.join('; ')} (of a burst: until the last).`] };
    } finally {
      await pool.end();
    }
  },
};

async function templateOf(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `select datname as name from pg_database where datname ~ '^t_[0-9a-f]+_template_' order by oid desc limit 1`,
  );
  return rows[0]!.name;
}

/** @returns milliseconds. */
async function makeTenant({ platform }: Bench, untilActive: UntilActive, slug: string): Promise<number> {
  const began = performance.now();
  const { status, body } = await platform.admin.rest('POST', '/api/super-admin/tenants', { name: slug, slug });
  if (status !== 201) throw new Error(`a tenant was not taken: ${JSON.stringify(body)}`);
  await untilActive(body.id);
  return performance.now() - began;
}

type UntilActive = (id: string) => Promise<void>;

/**
 * Asks the database, since asking the gateway would be work of its own; and once for all tenants that are waited for: forty that
 * each ask every millisecond took half of PostgreSQL's core.
 */
function watchActive(pool: pg.Pool): UntilActive {
  const waiting = new Map<string, (error?: unknown) => void>();
  const end = (id: string, error?: unknown) => {
    waiting.get(id)!(error);
    waiting.delete(id);
  };
  const look = async () => {
    for (; waiting.size > 0; await sleep(LOOK_MS)) {
      const { rows } = await pool.query<{ id: string }>({
        name: 'active',
        text: `select id from organizations where id = any($1::uuid[]) and status = 'active'`,
        values: [[...waiting.keys()]],
      });
      for (const { id } of rows) end(id);
    }
  };
  let isLooking = false;
  const keepLooking = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      await look();
    } catch (error) {
      for (const one of waiting.keys()) end(one, error);
    }
    isLooking = false;
  };
  return (id) =>
    new Promise((resolve, reject) => {
      const tooLong = setTimeout(() => end(id, new Error(`${id} did not become active`)), ACTIVE_LIMIT_MS);
      waiting.set(id, (error) => {
        clearTimeout(tooLong);
        if (error) reject(error);
        else resolve();
      });
      void keepLooking();
    });
}

async function inTurn(make: Make, name: string, count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await make(name));
  return times;
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function withoutGateway<T>(gateway: { pause(): void; goOn(): void }, work: () => Promise<T>): Promise<T> {
  gateway.pause();
  try {
    return await work();
  } finally {
    gateway.goOn();
  }
}

/** Until what was taken from what is prepared has been made again. */
export async function idle(pool: pg.Pool): Promise<void> {
  const began = performance.now();
  let last = '';
  for (let since = began; performance.now() - since < IDLE_MS; await sleep(100)) {
    const { rows } = await pool.query<{ state: string }>(`select max(oid)::text || count(*) as state from pg_database`);
    if (rows[0]!.state !== last) [last, since] = [rows[0]!.state, performance.now()];
    if (performance.now() - began > IDLE_LIMIT_MS) throw new Error('databases are still being made after a minute');
  }
}
