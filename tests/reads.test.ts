import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { type Statements, statementsOf } from './support/statements.ts';

let app: TestApp;
let root: Actor;
let tenants: Tenant[];
let control: Statements;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenants = await Promise.all(Array.from({ length: 4 }, () => provision(root)));
  control = statementsOf(app);
});
afterAll(() => app?.stop());

/** The statements that a REST request takes, which has to succeed. */
const byRest = (path: string) =>
  control.during(async () => {
    expect((await root.rest('GET', path)).status).toBe(200);
  });

/** The statements that a GraphQL request takes, which has to succeed. */
const byGraphql = (query: string) =>
  control.during(async () => {
    expect((await root.graphql(query)).errors).toBeUndefined();
  });

/** The names of the statements that tenants' own databases are asked meanwhile, without the gatherer's. */
async function inTenants(work: () => Promise<void>): Promise<string[]> {
  const databases = app.services.tenants;
  const { rows } = databases;
  const asked: string[] = [];
  databases.rows = ((...args: Parameters<typeof rows>) => {
    asked.push(args[1].name);
    return rows.apply(databases, args);
  }) as typeof rows;
  try {
    await work();
  } finally {
    databases.rows = rows;
  }
  return asked.filter((name) => name !== 'usage_counters');
}

const FIELDS = 'id name slug status country limits { maxAgents } mongoDatabase schemaVersion createdAt updatedAt';
const USAGE = 'usage { agentCount contactCount messagesThisMonth activeIntegrations usageMonth updatedAt }';
const PROVISIONING = 'provisioning { state attempt steps { name state startedAt finishedAt } }';

describe('one statement is enough', () => {
  test.each([
    ['the list of tenants', '/api/super-admin/tenants'],
    ['a page of tenants', '/api/super-admin/tenants?limit=2'],
    ['the list of tenants with their usage', '/api/super-admin/usage'],
    ['a page of it', '/api/super-admin/usage?limit=3'],
    ['the list of super admins', '/api/super-admin/admins'],
  ])('for %s', async (_, path) => {
    expect(await byRest(path)).toHaveLength(1);
  });

  test('for one tenant', async () => {
    expect(await byRest(`/api/super-admin/tenants/${tenants[0]!.id}`)).toHaveLength(1);
  });

  test("for the users of a tenant, beside what finds the tenant's database", async () => {
    const path = `/api/super-admin/users?tenant_id=${tenants[0]!.id}`;
    await byRest(path);
    const asked = await inTenants(async () => {
      expect(await byRest(path)).toHaveLength(1);
    });
    expect(asked).toEqual(['users']);
  });

  test('for tenants over GraphQL, with and without their usage', async () => {
    expect(await byGraphql(`{ tenants { nodes { ${FIELDS} } pageInfo { hasNextPage } } }`)).toHaveLength(1);
    expect(await byGraphql(`{ tenants { nodes { ${FIELDS} ${USAGE} } } }`)).toHaveLength(1);
    expect(await byGraphql(`{ tenants(first: 2) { edges { node { ${USAGE} } } } }`)).toHaveLength(1);
    expect(
      await byGraphql(`{ all: tenants { nodes { ...F } } } fragment F on Tenant { ... on Tenant { used: ${USAGE} } }`),
    ).toHaveLength(1);
    expect(await byGraphql(`{ superAdmins { id } }`)).toHaveLength(1);
  });
});

describe('a page of tenants', () => {
  test('takes one statement more for all their provisioning', async () => {
    expect(await byGraphql(`{ tenants { nodes { ${FIELDS} ${PROVISIONING} } } }`)).toHaveLength(2);
    expect(await byGraphql(`{ tenants { nodes { ${FIELDS} ${USAGE} ${PROVISIONING} } } }`)).toHaveLength(2);
  });
});

test('no read visits a tenant to learn what it uses', async () => {
  const asked = await inTenants(async () => {
    expect((await root.rest('GET', '/api/super-admin/usage')).body).toHaveLength(tenants.length);
    await byGraphql(`{ tenants { nodes { ${USAGE} } } }`);
  });
  expect(asked).toEqual([]);
});

test('reads are prepared statements, which the server parses once', async () => {
  const { pool } = app.services.control;
  const prepared = async () => {
    await root.rest('GET', '/api/super-admin/usage');
    // The connection that was used last is the next one to be used.
    return (await pool.query<{ name: string }>('select name from pg_prepared_statements')).rows.map(({ name }) => name);
  };
  await eventually(prepared, (names) => names.includes('tenants_with_all'));
});

test('the REST shim asks its operations in the process, never over HTTP', async () => {
  let requests = 0;
  app.http.server.on('request', () => {
    requests += 1;
  });
  const paths = ['tenants', 'usage', 'admins', `tenants/${tenants[0]!.id}`, `users?tenant_id=${tenants[0]!.id}`];
  for (const path of paths) expect((await root.rest('GET', `/api/super-admin/${path}`)).status).toBe(200);
  expect(requests).toBe(paths.length);
});

test('rows are read as pg reads them by itself, whatever letters they hold and however long they are', async () => {
  const texts = [
    '',
    'plain',
    'Söhne',
    '日本',
    '😀',
    'x'.repeat(127),
    'x'.repeat(255),
    'é'.repeat(200),
    'ü'.repeat(5000),
  ];
  const statement = {
    text: `select text, null::int as nothing, place::int, -place as big, 0.5::float8 * place as half, place > 1 as truth, text as again,
        '0198c0de-7b7a-7000-8000-000000000000'::uuid as id, timestamptz '2026-11-21 08:00:00.5+00' as instant,
        date '2026-02-03' as day, jsonb_build_object('text', text) as json, array[text, null] as list, text::bytea as bytes
      from unnest($1::text[]) with ordinality as given (text, place)`,
    values: [[...texts, null]],
  };
  const { pool, url } = app.services.control;
  const types = { getTypeParser: () => String };
  const client = new pg.Client({ connectionString: url, options: '-c timezone=UTC' });
  await client.connect();
  try {
    const { rows } = await pool.query({ ...statement, types });
    expect(rows.map(({ text }) => text)).toEqual(statement.values[0]);
    expect(rows).toEqual((await client.query({ ...statement, types })).rows);
  } finally {
    await client.end();
  }
});
