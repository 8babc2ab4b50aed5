import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { query } from '../src/db/control.ts';
import { GATHER_MS } from '../src/jobs/usage-gatherer.ts';
import { Actor, eventually, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { type Entrance, entranceTo } from './support/entrance.ts';
import { expectError } from './support/errors.ts';
import { askStatus, type StatusRequest } from './support/hours-status.ts';
import { holdProvisioning, inZone } from './support/tenants.ts';

const TENANTS = '/api/super-admin/tenants';
/** How old an answer may be, in milliseconds. */
const MOST_LAG = 1000;
/** Zones, by which answers show whose they are. */
const [ACME, OTHER] = ['Asia/Jakarta', 'Europe/Berlin'];

/** Two processes of one installation. */
let here: TestApp;
let there: TestApp;
let root: Actor;
let acme: Tenant;
let admin: Actor;

beforeAll(async () => {
  here = await startApp({ BASE_DOMAIN: 'chat.test' });
  there = await startApp({ BASE_DOMAIN: 'chat.test' }, here.databaseUrl);
  root = await superAdmin(here);
  [acme, admin] = await inZone(here, root, 'acme', ACME!);
  await inZone(here, root, 'other', OTHER!);
});
afterAll(async () => {
  await there?.stop();
  await here?.stop();
});

const ask = (query: string, { app = here, ...options }: StatusRequest & { app?: TestApp } = {}) =>
  askStatus(app.url, query, options);

describe('while the database is away', () => {
  let entrance: Entrance;
  let cut: TestApp;
  beforeAll(async () => {
    const through = await entranceTo(here.databaseUrl);
    entrance = through.entrance;
    cut = await startApp({ BASE_DOMAIN: 'chat.test' }, through.url);
  });
  afterAll(async () => {
    entrance?.thaw();
    await cut?.stop();
    await entrance?.close();
  });

  test.each<[what: string, leave: () => void | Promise<void>, back: () => void | Promise<void>]>([
    ['frozen', () => entrance.freeze(), () => entrance.thaw()],
    ['refusing connections', () => entrance.close(), () => entrance.reopen()],
  ])('%s: what was known is answered soon, and all is well right afterwards', async (what, leave, back) => {
    const question = async () => {
      const start = performance.now();
      const { status } = await ask('?tenant=acme', { app: cut });
      return { status, ms: performance.now() - start };
    };
    expect((await question()).status).toBe(200);
    await leave();
    const answers: Awaited<ReturnType<typeof question>>[] = [];
    for (const end = performance.now() + 4 * MOST_LAG; performance.now() < end; await sleep(20)) {
      answers.push(...(await Promise.all([question(), question(), question()])));
    }
    const slowest = Math.max(...answers.map(({ ms }) => ms));
    const median = answers.map(({ ms }) => ms).sort((a, b) => a - b)[answers.length >> 1]!;
    process.stdout.write(
      `    measured: ${what}, ${answers.length} answers, slowest ${Math.round(slowest)} ms, median ${Math.round(median)} ms\n`,
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    // The slug and the hours are waited for, one after the other, for half a second each.
    expect(slowest).toBeLessThan(2000);
    expect(median).toBeLessThan(100);
    await back();
    for (let n = 0; n < 20; n++) expect((await question()).status).toBe(200);
    const timezone = what === 'frozen' ? 'Asia/Makassar' : ACME;
    await eventually(
      async () => (await admin.rest('PUT', '/api/settings/timezone', { timezone })).status,
      (status) => status === 200,
    );
    await eventually(
      async () => (await ask('?tenant=acme', { app: cut })).body.timezone,
      (told) => told === timezone,
    );
  });
});

describe('on two processes', () => {
  /** The number of an edit is the second at which every day ends. */
  const edit = async (app: TestApp, n: number) => {
    const end_time = `23:59:${String(n).padStart(2, '0')}`;
    const days = [0, 1, 2, 3, 4, 5, 6].map((day_of_week) => ({ day_of_week, start_time: '00:00', end_time }));
    const { status } = await new Actor(app.url, admin.token).rest('PUT', '/api/working-hours', { days });
    expect(status).toBe(200);
    return { n, app, done: performance.now() };
  };
  const numberOn = async (app: TestApp) => {
    const { status, body } = await ask('?tenant=acme', { app });
    if (status !== 200) throw new Error(`it answered ${status}`);
    return Number(/23:59:(\d\d)/.exec(body.explanation)?.[1] ?? 0);
  };

  test('no answer is older than a second while the hours are edited, and none of the process that edits is old at all', async () => {
    const edits: Awaited<ReturnType<typeof edit>>[] = [await edit(here, 1)];
    const polls: { app: TestApp; asked: number; n: number }[] = [];
    let editing = true;
    const client = async (app: TestApp) => {
      while (editing) {
        const asked = performance.now();
        polls.push({ app, asked, n: await numberOn(app) });
        await sleep(5);
      }
    };
    await sleep(MOST_LAG);
    const clients = [here, here, here, there, there, there].map(client);
    for (let n = 2; n <= 50; n++) {
      edits.push(await edit(n % 3 ? here : there, n));
      await sleep((n * 37) % 150);
    }
    await sleep(1.5 * MOST_LAG);
    editing = false;
    await Promise.all(clients);
    /** How long before the question the first edit was answered that the answer does not know, in milliseconds. */
    const lag = ({ app, asked, n }: (typeof polls)[number], own: boolean) => {
      const missed = edits.find((made) => made.n > n && (!own || made.app === app));
      return missed ? asked - missed.done : -1;
    };
    const worst = Math.max(...polls.map((poll) => lag(poll, false)));
    process.stdout.write(
      `    measured: ${polls.length} answers, ${edits.length} edits, oldest ${Math.round(worst)} ms\n`,
    );
    expect(polls.filter((poll) => lag(poll, true) > 0)).toEqual([]);
    expect(polls.filter((poll) => lag(poll, false) > MOST_LAG)).toEqual([]);
    expect(await Promise.all([here, there].map(numberOn))).toEqual([50, 50]);
  });

  test('an edit is known within a second although the connection that tells of it was cut', async () => {
    await here.services.control.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'omnistream events' and datname = current_database()`,
    );
    const { done } = await edit(here, 51);
    await eventually(
      () => numberOn(there),
      (n) => n === 51,
      2 * MOST_LAG,
    );
    process.stdout.write(`    measured: known elsewhere after ${Math.round(performance.now() - done)} ms\n`);
    expect(performance.now() - done).toBeLessThan(MOST_LAG);
  });

  test('an edit is told of once, and by the gatherer where its process died before it could', async () => {
    const told = async () => {
      const { rows } = await here.services.control.pool.query<{ version: number }>(
        `select (payload->>'version')::int as version from events
          where topic = 'schedule' and payload->>'tenantId' = $1 order by seq`,
        [acme.id],
      );
      return rows.map(({ version }) => version);
    };
    await sleep(2 * GATHER_MS);
    const before = await told();
    await edit(here, 52);
    await sleep(2 * GATHER_MS);
    const after = await told();
    expect(after).toEqual([...before, after.at(-1)]);
    expect(after.at(-1)).toBeGreaterThan(before.at(-1)!);
    await here.services.tenants.rows(
      acme.id,
      query('edit', `update settings set value = 'UTC' where key = 'timezone'`),
    );
    await here.services.tenants.rows(acme.id, query('record', 'select record_schedule(null)'));
    await eventually(told, (versions) => versions.at(-1)! > after.at(-1)!);
    expect((await ask('?tenant=acme')).body.timezone).toBe('UTC');
  });

  test('a tenant that is suspended is nobody within a second, and is there again when it is restored', async () => {
    const statuses = () => Promise.all([here, there].map(async (app) => (await ask('?tenant=acme', { app })).status));
    const within = async (act: Promise<unknown>, status: number) => {
      await act;
      const start = performance.now();
      await eventually(statuses, (found) => found.every((one) => one === status), MOST_LAG);
      expect(performance.now() - start).toBeLessThan(MOST_LAG);
    };
    await within(root.rest('DELETE', `${TENANTS}/${acme.id}`), 404);
    const credentials: Record<string, string>[] = [
      { authorization: `Bearer ${admin.token}` },
      { cookie: `access_token=${admin.token}` },
    ];
    for (const headers of credentials) {
      for (const query of ['', '?tenant=acme', '?tenant=other']) {
        expectError(await ask(query, { headers }), 404, 'not_found');
      }
    }
    // Now the other one is the only active tenant.
    expect((await ask('')).body.timezone).toBe(OTHER);
    await within(root.rest('PATCH', `${TENANTS}/${acme.id}`, { status: 'active' }), 200);
    expectError(await ask(''), 400, 'tenant_required');
  });

  test('a tenant that is being provisioned is nobody yet, and somebody within a second of being active', async () => {
    for (const app of [here, there]) expect((await ask('?tenant=late', { app })).status).toBe(404);
    const makers = [here, there].map((app) => [app, app.services.servers.home.createRole] as const);
    for (const [app] of makers) holdProvisioning(app);
    const { body } = await root.rest('POST', TENANTS, { name: 'Late', slug: 'late' });
    for (const app of [here, there]) expect((await ask('?tenant=late', { app })).status).toBe(404);
    for (const [app, createRole] of makers) app.services.servers.home.createRole = createRole;
    const read = async () => (await root.rest('GET', `${TENANTS}/${body.id}`)).body.status;
    await eventually(read, (status) => status === 'active', 60_000);
    const answers = () => Promise.all([here, there].map(async (app) => (await ask('?tenant=late', { app })).status));
    await eventually(answers, (found) => found.every((status) => status === 200), MOST_LAG);
  });
});
