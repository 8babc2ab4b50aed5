import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { register, startTenantServer, type TenantServer } from './support/tenant-servers.ts';

let app: TestApp;
let server: TenantServer;
let users: Actor[];

beforeAll(async () => {
  [app, server] = await Promise.all([startApp({ TENANT_CONNECTIONS: '4' }), startTenantServer()]);
  const admin = await superAdmin(app);
  await register(admin, 'eu-1', server, { region: 'eu' });
  users = [];
  for (const region of ['eu', 'eu', 'eu', 'eu', 'eu', undefined]) {
    const tenant = await provision(admin, { region });
    users.push(await agent(app, tenant.adminEmail, tenant.adminPassword));
  }
});
afterAll(async () => {
  await app.stop();
  await server.remove();
});

/** By tenants' own roles, of the one process that there is. */
const connections = async () => {
  const [row] = await sql<{ count: number }>(
    server.directUrl,
    'select count(*)::int as count from pg_stat_activity where starts_with(usename, $1)',
    [`t_${app.services.servers.home.code}_`],
  );
  return row!.count;
};

test('a process keeps to its number of connections to a server, however many tenants are asked for at once', async () => {
  const ask = () =>
    Promise.all(users.flatMap((user) => Array.from({ length: 10 }, () => user.rest('GET', '/api/agents'))));
  for (let round = 0; round < 3; round++) {
    expect((await ask()).filter(({ status }) => status !== 200)).toEqual([]);
  }
  // Sooner than idle connections are closed.
  await eventually(connections, (count) => count <= 4, 3000);
  expect((await users[0]!.rest('GET', '/api/agents')).status).toBe(200);
  await eventually(connections, (count) => count > 0 && count <= 4, 3000);
});
