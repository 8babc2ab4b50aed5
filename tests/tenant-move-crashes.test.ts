import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, type GatewayProcess, runTenants, startGateway } from './support/gateway-process.ts';
import { moved, moveOf, type OtherServer, onServerOf, registeredServer } from './support/moves.ts';

let databaseUrl: string;
let other: OtherServer;
let code: string;
let tenants: Tenant[];
const env = () => ({ DATABASE_URL: databaseUrl, JWT_SECRET, WARM_DATABASES: '0' });

beforeAll(async () => {
  ensureBuilt();
  databaseUrl = await createControlDatabase();
  const app: TestApp = await startApp({}, databaseUrl);
  const admin = await superAdmin(app);
  tenants = await Promise.all([1, 2, 3].map(() => provision(admin)));
  other = await registeredServer(app, 'other');
  code = app.services.servers.home.code;
  await app.close();
});
afterEach(cleanUp);
afterAll(async () => {
  try {
    await dropControlDatabase(databaseUrl);
  } finally {
    await other.remove();
  }
});

interface Row {
  state: string;
  attempt: number;
  steps: { name: string; state: string }[];
}
const rowOf = async ({ id }: Tenant) =>
  (await sql<Row & Record<string, unknown>>(databaseUrl, 'select * from tenant_moves where org_id = $1', [id]))[0];
const nameOf = ({ id }: Tenant) => `t_${code}_${id.replaceAll('-', '')}`;
const left = (url: string, tenant: Tenant) => onServerOf(url, nameOf(tenant));
const whole = (tenant: Tenant) => [`database ${nameOf(tenant)}`, `role ${nameOf(tenant)}`];

/** Waits until a step is under way, or over. */
const reached = (tenant: Tenant, step: string) =>
  eventually(
    () => rowOf(tenant),
    (row) => row?.steps.some(({ name, state }) => name === step && state !== 'pending') === true,
    60_000,
  );

const signIn = (gateway: GatewayProcess, tenant: Tenant) => agent(gateway, tenant.adminEmail, tenant.adminPassword);
const write = async (user: Actor, name: string) => {
  const ask = () => user.rest('POST', '/api/divisions', { name });
  await eventually(ask, ({ status }) => status === 201 || status === 409, 30_000);
};
const names = async (user: Actor) =>
  (await user.rest<{ name: string }[]>('GET', '/api/divisions')).body.map(({ name }) => name).sort();

describe('a gateway that is killed', () => {
  test('at any step of a move leaves one that the next gateway brings to its end, and nothing is lost', async () => {
    const tenant = tenants[0]!;
    const written: string[] = [];
    let gateway = await startGateway(env());
    const ask = await superAdmin(gateway);
    const made = async (name: string) => {
      await write(await signIn(gateway, tenant), name);
      written.push(name);
    };
    await made('before');
    expect((await ask.rest('POST', moveOf(tenant), { server_id: other.id })).status).toBe(202);
    for (const step of ['create_database', 'copy', 'read_only', 'open', 'follow_back']) {
      await reached(tenant, step);
      await gateway.end('SIGKILL');
      gateway = await startGateway(env());
      if (['copy', 'read_only', 'open'].includes(step)) await made(step);
    }
    await moved(await superAdmin(gateway), tenant, 'switched');
    await made('after');
    await (await superAdmin(gateway)).rest('POST', `${moveOf(tenant)}/finish`);
    await reached(tenant, 'remove_source');
    await gateway.end('SIGKILL');
    gateway = await startGateway(env());
    await moved(await superAdmin(gateway), tenant, 'finished');
    expect(await names(await signIn(gateway, tenant))).toEqual(written.sort());
    expect(await left(databaseUrl, tenant)).toEqual([]);
    expect(await left(other.url, tenant)).toEqual(whole(tenant));
    await gateway.end('SIGTERM');
  });
});

describe('a worker that freezes', () => {
  test('while writes wait is replaced, and changes nothing when it goes on', async () => {
    const tenant = tenants[1]!;
    const [first] = [await startGateway(env())];
    await write(await signIn(first, tenant), 'before');
    const ask = await superAdmin(first);
    await ask.rest('POST', moveOf(tenant), { server_id: other.id, max_read_only_seconds: 60 });
    await reached(tenant, 'read_only');
    process.kill(first.pid, 'SIGSTOP');
    const frozen = (await rowOf(tenant))!;
    const second = await startGateway(env());
    const admin = await superAdmin(second);
    await moved(admin, tenant, 'switched');
    await write(await signIn(second, tenant), 'after');
    await admin.rest('POST', `${moveOf(tenant)}/undo`);
    await moved(admin, tenant, 'undone');
    const before = (await rowOf(tenant))!;
    expect(before.attempt).toBeGreaterThan(frozen.attempt);
    process.kill(first.pid, 'SIGCONT');
    await write(await signIn(second, tenant), 'later');
    await eventually(
      async () => (await fetch(`${first.url}/api/health`)).ok,
      (ok) => ok,
    );
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await rowOf(tenant)).toEqual(before);
    expect(await left(databaseUrl, tenant)).toEqual(whole(tenant));
    expect(await left(other.url, tenant)).toEqual([]);
    const [settings] = await sql<{ config: string[] | null }>(
      serverUrl('postgres', databaseUrl),
      'select (select setconfig from pg_db_role_setting where setdatabase = d.oid) as config from pg_database d where datname = $1',
      [nameOf(tenant)],
    );
    expect(settings!.config).toBeNull();
    expect(await names(await signIn(first, tenant))).toEqual(['after', 'before', 'later']);
  });
});

describe('npm run tenants -- move', () => {
  const run = (...options: string[]) => runTenants(env(), 'move', ...options);

  test('moves a tenant, and shows how it goes; refuses what cannot be done with a sentence', async () => {
    const tenant = tenants[2]!;
    expect(await run('nobody', 'other')).toMatchObject({ code: 2, output: 'There is no tenant nobody.\n' });
    expect(await run(tenant.slug, 'nowhere')).toMatchObject({
      code: 2,
      output: 'There is no database server nowhere.\n',
    });
    expect(await run(tenant.slug, 'home')).toMatchObject({
      code: 2,
      output: 'The organization is on server home already.\n',
    });
    expect(await run(tenant.slug)).toMatchObject({ code: 2, output: `Tenant ${tenant.slug} has never been moved.\n` });
    expect(await run(tenant.slug, 'other', '--max-read-only', '1')).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^--max-read-only is a number of seconds from 2 to 300.*\nUse: /),
    });
    const gateway = await startGateway(env());
    const { code, output } = await run(tenant.slug, 'other', '--finish');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^\[#*\.*\] .* MB, step /) });
    expect(output).toContain(`Tenant ${tenant.slug} is moved; nothing is left on the former server.\n`);
    expect(await run(tenant.slug, '--undo')).toMatchObject({
      code: 2,
      output: expect.stringContaining('can be undone'),
    });
    expect(await left(databaseUrl, tenant)).toEqual([]);
    await gateway.end('SIGTERM');
  });
});
