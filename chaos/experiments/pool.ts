/** Some tenants' databases hang and are asked for by many, while hundreds of others share the bounded set of pools. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Actor, Answer } from '../../tests/support/actors.ts';
import { serverUrl, sql } from '../../tests/support/database.ts';
import type { Experiment, Tally } from '../experiment.ts';
import type { Installation } from '../installation.ts';

/** Of a full run; a short one has just more than there are pools. */
const TENANTS = { full: 500, short: 52 };
const FULL = 10;
/** Provisioned at the same time. */
const BATCH = 25;
const HANGING = 3;
/** Requests for each that hangs, all at once. */
const RUSH = 60;
/** Longer than a turn is waited for (5 s), so that some have to be refused. */
const HANG_MS = 9000;
const ASK_OTHERS_MS = 50;
/** What others are to notice at the most, what a refusal may take, and when those that hung are as before. */
const UNHARMED_MS = 1000;
const REFUSED_MS = 6000;
const RECOVERED_MS = 5000;

interface Tenant {
  id: string;
  database: string;
}

export const pool: Experiment = {
  name: 'pool',
  fault: `pool exhaustion, ${TENANTS.full} tenants through the bounded pool set`,
  trials: FULL,
  async run(ground, tally) {
    const installation = await ground.install();
    const admin = await installation.admin(await installation.start());
    const tenants = await makeMany(installation, admin, tally);
    await tally.lanes(1, tally.wanted, async (number) => {
      const losses = [
        ...(await all(admin, tenants, tally)),
        ...(await exhaust(installation, admin, tenants, number, tally)),
        ...(await installation.check()),
      ];
      tally.add(
        1,
        losses.map((text) => `trial ${number}: ${text}`),
      );
    });
    await ground.remove(installation);
  },
};

async function makeMany(installation: Installation, admin: Actor, tally: Tally): Promise<Tenant[]> {
  const count = tally.wanted >= FULL ? TENANTS.full : TENANTS.short;
  for (let made = 0; made < count && !tally.stopped; made += BATCH) {
    await installation.makeTenants(admin, Math.min(BATCH, count - made));
  }
  return sql<Tenant>(
    installation.databaseUrl,
    'select org_id as id, database_name as database from tenant_databases order by org_id',
  );
}

const ask = async (admin: Actor, { id }: Tenant): Promise<Answer<unknown> & { ms: number }> => {
  const began = performance.now();
  const answer = await admin.rest('GET', `/api/super-admin/users?tenant_id=${id}`);
  return { ...answer, ms: performance.now() - began };
};

/** Every tenant's database once: more than there are pools, so that most have to be opened anew. */
async function all(admin: Actor, tenants: Tenant[], tally: Tally): Promise<string[]> {
  const order = tally.shuffled(tenants, 'all');
  const answers: number[] = [];
  const began = performance.now();
  const one = async () => {
    for (let tenant = order.pop(); tenant; tenant = order.pop()) answers.push((await ask(admin, tenant)).status);
  };
  await Promise.all(Array.from({ length: 30 }, one));
  tally.time('every tenant asked once', performance.now() - began);
  const wrong = answers.filter((status) => status !== 200);
  return wrong.length > 0 ? [`${wrong.length} tenants answered ${[...new Set(wrong)]}`] : [];
}

async function exhaust(installation: Installation, admin: Actor, tenants: Tenant[], number: number, tally: Tally) {
  const [hanging, others] = [tally.shuffled(tenants, `hang ${number}`).slice(0, HANGING), [] as Tenant[]];
  others.push(...tenants.filter((tenant) => !hanging.includes(tenant)));
  const locks = await Promise.all(hanging.map(({ database }) => lock(serverUrl(database, installation.databaseUrl))));
  const rush = Promise.all(hanging.flatMap((tenant) => Array.from({ length: RUSH }, () => ask(admin, tenant))));
  const losses: string[] = [];
  const asked: Promise<void>[] = [];
  for (const until = performance.now() + HANG_MS; performance.now() < until; await sleep(ASK_OTHERS_MS)) {
    const other = others[Math.floor(tally.chance('other', number, asked.length) * others.length)]!;
    asked.push(
      ask(admin, other).then(({ status, ms }) => {
        if (status !== 200) losses.push(`another tenant was answered ${status}`);
        losses.push(...tally.time('answer to another tenant', ms, UNHARMED_MS));
        // However slow the machine is: who waits this long waits for the hang.
        if (ms > HANG_MS / 2) losses.push(`another tenant waited ${Math.round(ms)} ms, while some hung for ${HANG_MS}`);
      }),
    );
  }
  for (const client of locks) await client.end();
  const released = performance.now();
  const back = await Promise.all(hanging.map((tenant) => recovered(admin, tenant)));
  tally.time('recovered', performance.now() - released);
  if (back.includes(false) || performance.now() - released > RECOVERED_MS * tally.patience) {
    losses.push(`no recovery within ${RECOVERED_MS} ms`);
  }
  await Promise.all(asked);
  const rushed = await rush;
  if (!rushed.some(({ status }) => status === 503)) losses.push(`none of ${rushed.length} was refused`);
  for (const { status, headers, ms } of rushed) {
    if (status !== 200 && (status !== 503 || !headers.get('retry-after')))
      losses.push(`a hanging one answered ${status}`);
    if (status === 503) losses.push(...tally.time('503', ms, REFUSED_MS));
    // However slow the machine is: not only because the hang is over.
    if (status === 503 && ms > HANG_MS) losses.push(`a refusal took ${Math.round(ms)} ms, as long as the hang`);
  }
  return [...new Set(losses)];
}

/** Holds what every question about a tenant's people needs. */
async function lock(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('begin; lock table agents in access exclusive mode');
  return client;
}

async function recovered(admin: Actor, tenant: Tenant): Promise<boolean> {
  for (const until = performance.now() + 30_000; performance.now() < until; await sleep(50)) {
    if ((await ask(admin, tenant)).status === 200) return true;
  }
  return false;
}
