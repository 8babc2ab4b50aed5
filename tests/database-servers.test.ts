import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, active, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { serverUrl, sql } from './support/database.ts';
import { register, startTenantServer, type TenantServer } from './support/tenant-servers.ts';

const SERVERS = '/api/super-admin/database-servers';
const HOME = '00000000-0000-7000-8000-000000000001';

let app: TestApp;
let admin: Actor;
let server: TenantServer;
const code = () => app.services.servers.home.code;

beforeAll(async () => {
  [app, server] = await Promise.all([startApp(), startTenantServer()]);
  admin = await superAdmin(app);
});
afterAll(async () => {
  await app.stop();
  await server.remove();
});

/** Where a tenant is. */
const placeOf = async ({ id }: Pick<Tenant, 'id'>) => {
  const { data } = await admin.graphql('query ($id: UUID!) { tenant(id: $id) { region databaseServer { name } } }', {
    id,
  });
  return data.tenant.databaseServer?.name;
};
const change = (id: string, body: object) => admin.rest('PATCH', `${SERVERS}/${id}`, body);

describe('the registry', () => {
  test('has the home server from the start', async () => {
    const { body } = await admin.rest('GET', SERVERS);
    expect(body).toEqual([
      {
        id: HOME,
        name: 'home',
        capacity: 2000,
        state: 'open',
        tenants: 0,
        left_databases: 0,
        is_home: true,
        address: new URL(app.databaseUrl).host,
        health: { status: 'up', latency_ms: expect.any(Number) },
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    ]);
    expect((await admin.rest('DELETE', `${SERVERS}/${HOME}`)).body).toMatchObject({ code: 'conflict' });
    expect((await change(HOME, { url: server.url })).body).toMatchObject({ code: 'validation_failed' });
  });

  test('takes a server in and gives it up again, and shows its password to nobody', async () => {
    const wanted = { name: 'eu-1', url: server.url, region: 'eu', capacity: 10 };
    const { status, headers, body } = await admin.rest('POST', SERVERS, wanted);
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.any(String),
        name: 'eu-1',
        region: 'eu',
        capacity: 10,
        state: 'open',
        tenants: 0,
        left_databases: 0,
        is_home: false,
        address: new URL(server.url).host,
        health: expect.objectContaining({ status: 'up' }),
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    });
    expect(headers.get('location')).toBe(`${SERVERS}/${body.id}`);
    expect((await admin.rest('GET', `${SERVERS}/${body.id}`)).body).toMatchObject({ name: 'eu-1' });
    expect(await server.belongings(code())).toEqual([`t_${code()}`, expect.stringContaining('_template_')]);

    expect((await change(body.id, { capacity: 20, state: 'closed', region: null })).body).toMatchObject({
      capacity: 20,
      state: 'closed',
      name: 'eu-1',
    });
    expect(await admin.rest('DELETE', `${SERVERS}/${body.id}`)).toMatchObject({
      status: 200,
      body: { status: 'removed' },
    });
    expect((await admin.rest('GET', `${SERVERS}/${body.id}`)).status).toBe(404);
    expect(await server.belongings(code())).toEqual([]);

    const traces = await sql<{ text: string }>(
      app.databaseUrl,
      `select e::text as text from events e union all select a::text from audit_entries a
        union all select k::text from idempotency_keys k`,
    );
    expect(traces.filter(({ text }) => text.includes(server.password))).toEqual([]);
    const actions = await sql<{ action: string; after: unknown }>(
      app.databaseUrl,
      `select action, after from audit_entries where target_type = 'database_server' order by id`,
    );
    expect(actions.map(({ action }) => action)).toEqual([
      'database_server.register',
      'database_server.update',
      'database_server.remove',
    ]);
    expect(actions[0]!.after).toEqual({
      name: 'eu-1',
      region: 'eu',
      capacity: 10,
      state: 'open',
      address: new URL(server.url).host,
    });
  });

  test('refuses a server that does not fit, says why, and leaves nothing there', async () => {
    const other = (change: (url: URL) => void) => {
      const url = new URL(server.url);
      change(url);
      return url.href;
    };
    const weak = `weak_${randomBytes(3).toString('hex')}`;
    await sql(
      server.directUrl,
      `create role ${weak} login password 'weak' createdb; grant connect on database postgres to ${weak}`,
    );
    const asWeak = other((url) => Object.assign(url, { username: weak, password: 'weak' }));
    const refused = async (input: object) => {
      const { status, body } = await admin.rest('POST', SERVERS, { name: 'other', capacity: 10, ...input });
      return { status, says: body.details?.[0].message ?? body.error, field: body.details?.[0].field };
    };
    const field = 'url';
    expect(await refused({ url: other((url) => Object.assign(url, { port: '1' })) })).toEqual({
      status: 400,
      says: '127.0.0.1:1 cannot be used: connection refused.',
      field,
    });
    expect(await refused({ url: other((url) => Object.assign(url, { password: 'wrong' })) })).toMatchObject({
      status: 400,
      says: expect.stringContaining('wrong credentials'),
      field,
    });
    expect(await refused({ url: asWeak })).toMatchObject({
      status: 400,
      says: 'Its role must be able to create databases and roles (CREATEDB and CREATEROLE).',
      field,
    });
    const files = expect.stringContaining('must not name files');
    for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
      const url = other(({ searchParams }) => searchParams.set(name, '/etc/hostname'));
      expect(await refused({ url })).toEqual({ status: 400, says: files, field });
      expect(await refused({ url: server.url, pooled_url: url })).toEqual({
        status: 400,
        says: files,
        field: 'pooled_url',
      });
    }
    for (const name of ['host', 'port', 'user', 'password', 'database']) {
      const url = other(({ searchParams }) => searchParams.set(name, '/tmp'));
      const says = 'must say host, port, role, password and database before the ?, not behind it';
      expect(await refused({ url })).toEqual({ status: 400, says, field });
      expect(await refused({ url: server.url, pooled_url: url })).toEqual({ status: 400, says, field: 'pooled_url' });
    }
    for (const part of ['%ff:x@127.0.0.1', 'x:%ff@127.0.0.1']) {
      const says = expect.stringContaining('cannot be read');
      expect(await refused({ url: `postgresql://${part}/` })).toEqual({ status: 400, says, field });
      expect(await refused({ url: server.url, pooled_url: `postgresql://${part}/` })).toMatchObject({
        status: 400,
        says,
      });
    }
    expect(await refused({ url: 'http://127.0.0.1/' })).toMatchObject({ status: 400, field });
    expect(await refused({ url: server.url, capacity: 0 })).toMatchObject({ status: 400, field: 'capacity' });
    expect(await refused({ url: server.url, name: 'Not a name' })).toMatchObject({ status: 400, field: 'name' });
    expect(await refused({ url: server.url, name: 'home' })).toMatchObject({
      status: 409,
      says: 'Another database server already has this name.',
    });
    expect(await refused({ url: serverUrl('postgres') })).toMatchObject({
      status: 409,
      says: expect.stringContaining('This is the home server'),
    });
    expect(await server.belongings(code())).toEqual([]);

    const id = await register(admin, 'once', server);
    expect(await refused({ url: server.directUrl })).toMatchObject({
      status: 409,
      says: 'This server is registered already, as once.',
    });
    expect(await server.belongings(code())).toHaveLength(2);
    await admin.rest('DELETE', `${SERVERS}/${id}`);
    await sql(server.directUrl, `revoke connect on database postgres from ${weak}; drop role ${weak}`);
  });

  test('takes another role of a server only where that one may do what the owner of the databases there may', async () => {
    const id = await register(admin, 'owned', server);
    const role = `other_${randomBytes(3).toString('hex')}`;
    await sql(
      server.directUrl,
      `create role ${role} login password 'other' createdb createrole; grant connect on database postgres to ${role}`,
    );
    const url = Object.assign(new URL(server.url), { username: role, password: 'other' }).href;
    const owner = decodeURIComponent(new URL(server.url).username);
    const refusedFor = async (reason: string) => {
      const { status, body } = await change(id, { url });
      const details = [{ field: 'url', message: expect.stringContaining(reason) }];
      expect({ status, details: body.details }).toEqual({ status: 400, details });
    };
    await refusedFor(`databases there belong to ${owner}`);
    await sql(server.directUrl, `grant ${owner} to ${role}`);
    await refusedFor(`may not change t_${code()}`);
    await sql(server.directUrl, `grant t_${code()} to ${role} with admin option`);
    expect((await change(id, { url })).status).toBe(200);
    expect((await change(id, { url: server.url })).status).toBe(200);
    await admin.rest('DELETE', `${SERVERS}/${id}`);
    await sql(server.directUrl, `revoke connect on database postgres from ${role}; drop role ${role}`);
  });

  test('takes in the same server once, however many ask at the same moment', async () => {
    const asked = ['a', 'b', 'c'].map((name) =>
      admin.rest('POST', SERVERS, { name: `race-${name}`, url: server.url, capacity: 10 }),
    );
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(await server.belongings(code())).toHaveLength(2);
    const won = answers.find(({ status }) => status === 201)!;
    await admin.rest('DELETE', `${SERVERS}/${won.body.id}`);
  });

  test('takes a server in again while it is still being given up', async () => {
    const wanted = { name: 'again', url: server.url, capacity: 10 };
    let id = await register(admin, 'again', server);
    for (let round = 0; round < 8; round++) {
      const removal = admin.rest('DELETE', `${SERVERS}/${id}`);
      const answer = await eventually(
        () => admin.rest('POST', SERVERS, wanted),
        ({ status }) => status !== 409,
      );
      expect((await removal).status).toBe(200);
      expect(answer).toMatchObject({ status: 201 });
      // What was made anew is not what the removal took away.
      expect(await server.belongings(code())).toHaveLength(2);
      id = answer.body.id;
    }
    await admin.rest('DELETE', `${SERVERS}/${id}`);
  });
});

describe('a new tenant', () => {
  let eu: string;
  beforeAll(async () => {
    eu = await register(admin, 'eu-1', server, { region: 'eu', capacity: 2 });
  });

  test('is made where it is wished for, and where the most room is', async () => {
    const wished = await provision(admin, { region: 'eu' });
    expect(await placeOf(wished)).toBe('eu-1');
    // Half of its places are taken; nearly none of the home server's.
    expect(await placeOf(await provision(admin))).toBe('home');
    const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', {
      name: 'Nowhere',
      slug: 'nowhere',
      region: 'mars',
    });
    expect({ status, details: body.details }).toEqual({
      status: 400,
      details: [{ field: 'region', message: 'is not the region of any database server' }],
    });
    await agent(app, wished.adminEmail, wished.adminPassword);
    await expectNothingWrong(app.databaseUrl);
  });

  test('waits, and says for what, while the servers of its region take none', async () => {
    await provision(admin, { region: 'eu' });
    const { body } = await admin.rest('POST', '/api/super-admin/tenants', {
      name: 'Third',
      slug: 'third',
      region: 'eu',
    });
    const failed = async () => {
      const answer = await admin.graphql(
        'query ($id: UUID!) { tenant(id: $id) { provisioning { state steps { name state error } } } }',
        { id: body.id },
      );
      return answer.data.tenant.provisioning;
    };
    const { steps } = await eventually(failed, ({ state }) => state === 'RETRYING');
    expect(steps[0]).toMatchObject({ name: 'reserve_names', state: 'FAILED' });
    expect(steps[0].error).toContain('in the region eu');
    expect(steps[0].error).toContain('eu-1 is full (2 of 2 tenants)');
    await change(eu, { capacity: 3 });
    await admin.graphql('mutation ($id: UUID!) { retryProvisioning(tenantId: $id) { id } }', { id: body.id });
    await active(admin, body.id);
    expect(await placeOf(body)).toBe('eu-1');
    expect((await admin.rest('DELETE', `${SERVERS}/${eu}`)).body).toMatchObject({
      code: 'conflict',
      error: 'eu-1 still has 3 tenants: move them to another server first.',
    });
  });

  test.each(['draining', 'closed'])('is not made on a server that is %s, whose tenants go on', async (state) => {
    await change(eu, { capacity: 1000, state });
    const elsewhere = await provision(admin);
    expect(await placeOf(elsewhere)).toBe('home');
    await change(eu, { state: 'open' });
  });
});

describe('a server that knows itself by another identifier than was registered, as after pg_upgrade', () => {
  test('is named by the doctor, and is the same one again with the same address where all of its tenants are on it', async () => {
    const [{ id }] = (await sql<{ id: string }>(
      app.databaseUrl,
      `update database_servers set system_identifier = '1' where name = 'eu-1' returning id`,
    )) as [{ id: string }];
    const { findings } = await examination(app.databaseUrl);
    expect(findings).toEqual([
      {
        kind: 'replaced_server',
        problem: expect.stringMatching(/^another PostgreSQL server than was registered as eu-1 answers at /),
        remedy: expect.stringContaining('npm run servers -- set'),
      },
    ]);
    const empty = await startTenantServer();
    try {
      expect((await change(id, { url: empty.url })).body.details).toEqual([
        {
          field: 'url',
          message: expect.stringMatching(/^is another server, which lacks 3 of its 3 tenants\u2019 databases: /),
        },
      ]);
    } finally {
      await empty.remove();
    }
    expect((await change(id, { url: serverUrl('postgres') })).status).toBe(409);
    expect((await change(id, { url: server.url })).status).toBe(200);
    await expectNothingWrong(app.databaseUrl);
  });
});
