/** W6: a tenant by id at a steady pace, in a quiet time and while twenty tenants a second are made. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { sql } from '../../tests/support/database.ts';
import { request } from '../load/load.ts';
import { median, refuseFailures } from '../rounds.ts';
import { oneOf, signedIn } from './compare.ts';
import { idle } from './provisioning.ts';
import type { Bench, Workload } from './workload.ts';

/** 400 requests a second: far below what the gateway can do, so that what is seen is waiting and not a queue of one's own. */
const CONNECTIONS = 8;
const EVERY_MS = 20;
const PER_SECOND = 20;
/** Of them that have to become active meanwhile: a gateway that lets tenants wait would have its requests quick. */
const KEPT_UP = 0.9 * PER_SECOND;
/** More of them would make databases by the thousand. */
const MOST_ROUNDS = 3;
const WARM_UP_MS = 1000;
const ALL_MADE_MS = 180_000;

export const W6: Workload = {
  name: 'W6',
  title: `tenant by id while ${PER_SECOND} tenants a second are made`,
  tenants: 10_000,
  async run(bench) {
    const { platform, load, settings, say } = bench;
    const headers = signedIn(bench);
    const requests = Array.from({ length: 4000 }, () =>
      request('GET', `/api/super-admin/tenants/${oneOf(platform.tenantIds)}`, headers),
    );
    load.prepare('W6', requests);
    const ms = 2000 * settings.seconds;
    const job = { name: 'W6', port: platform.gateway.port, connections: CONNECTIONS, everyMs: EVERY_MS, ms };
    const measure = async () => {
      const result = await load.run({ ...job, warmUpMs: WARM_UP_MS }, () => () => {});
      refuseFailures('gateway', { result }, 200);
      return result.p99Ms;
    };
    const pool = new pg.Pool({ connectionString: platform.databases.gateway, max: 1 });
    const rounds: { quiet: number; busy: number; perSecond: number }[] = [];
    for (let round = 1; round <= Math.min(MOST_ROUNDS, settings.rounds); round++) {
      await idle(pool);
      const quiet = await measure();
      const making = makeTenants(bench, `w6-${round}`, ms + WARM_UP_MS);
      const busy = await measure();
      const perSecond = await making;
      rounds.push({ quiet, busy, perSecond });
      say(
        `  W6 round ${round}: p99 ${quiet.toFixed(1)} ms, ${busy.toFixed(1)} ms while making ${perSecond.toFixed(1)} a second`,
      );
    }
    await pool.end();
    const of = (name: 'quiet' | 'busy' | 'perSecond') => median(rounds.map((round) => round[name]));
    return {
      findings: [
        {
          what: 'p99 to the quiet p99',
          value: median(rounds.map(({ quiet, busy }) => busy / quiet)),
          goal: { at: 'most', value: 2 },
        },
        { what: 'tenants made a second meanwhile', value: of('perSecond'), goal: { at: 'least', value: KEPT_UP } },
      ],
      notes: [
        `p99 ${of('quiet').toFixed(1)} ms quiet, ${of('busy').toFixed(1)} ms while ${PER_SECOND} a second were asked for, of ` +
          `which ${of('perSecond').toFixed(1)} a second became active; ${(1000 / EVERY_MS) * CONNECTIONS} requests a second.`,
      ],
    };
  },
};

/** Asks for tenants at their pace. @returns how many a second became active while they were asked for; waits for the rest. */
async function makeTenants({ platform }: Bench, prefix: string, ms: number): Promise<number> {
  const active = async () => {
    const [row] = await sql<{ active: number; waiting: number }>(
      platform.databases.gateway,
      `select (count(*) filter (where status = 'active'))::int as active,
              (count(*) filter (where status = 'provisioning'))::int as waiting
         from organizations where slug like '${prefix}-%'`,
    );
    return row!;
  };
  const asked: Promise<void>[] = [];
  const began = performance.now();
  for (let count = 0; performance.now() - began < ms; count++) {
    const slug = `${prefix}-${count}`;
    asked.push(
      platform.admin.rest('POST', '/api/super-admin/tenants', { name: slug, slug }).then(({ status, body }) => {
        if (status !== 201) throw new Error(`a tenant was not taken: ${JSON.stringify(body)}`);
      }),
    );
    await sleep(Math.max(0, began + (count + 1) * (1000 / PER_SECOND) - performance.now()));
  }
  const perSecond = (1000 * (await active()).active) / (performance.now() - began);
  await Promise.all(asked);
  for (const until = performance.now() + ALL_MADE_MS; (await active()).waiting > 0; await sleep(500)) {
    if (performance.now() > until) throw new Error('tenants are still being made after three minutes');
  }
  return perSecond;
}
