import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { JWT_SECRET, startTwoApps, type TwoApps } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { cleanUp, runServers } from './support/gateway-process.ts';
import { startTenantServer, type TenantServer } from './support/tenant-servers.ts';

let apps: TwoApps;
let admin: Actor;
let server: TenantServer;
const run = (options: string[], input?: string) =>
  runServers({ DATABASE_URL: apps.here.databaseUrl, JWT_SECRET }, options, input);

beforeAll(async () => {
  await ensureBuilt();
  [apps, server] = await Promise.all([startTwoApps(), startTenantServer()]);
  admin = await superAdmin(apps.here);
});
afterAll(async () => {
  await apps.stop();
  await server.remove();
  await cleanUp();
});

test('lists, registers, drains, changes and removes servers, and running gateways know of it', async () => {
  const listed = await run([]);
  expect(listed).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^NAME .*\nhome +open +- +0\/2000 .* up, \d+ ms\n$/),
  });

  const added = await run(['add', 'eu-1', '--url', '-', '--capacity', '10', '--region', 'eu'], `${server.url}\n`);
  expect(added).toMatchObject({ code: 0, output: expect.stringMatching(/\neu-1 +open +eu +0\/10 .* up, \d+ ms\n$/) });
  expect(added.output).not.toContain(server.password);
  await eventually(
    async () => [apps.here, apps.there].map(({ services }) => services.servers.all().length),
    (counts) => counts.every((count) => count === 2),
  );
  const tenant = await provision(admin, { region: 'eu' });
  // The other process finds it where it is.
  await agent(apps.there, tenant.adminEmail, tenant.adminPassword);

  expect((await run(['drain', 'eu-1'])).output).toMatch(/\neu-1 +draining +eu +1\/10 /);
  expect((await run(['set', 'eu-1', '--capacity', '20', '--region', ''])).output).toMatch(
    /\neu-1 +draining +- +1\/20 /,
  );
  expect(await run(['remove', 'eu-1'])).toMatchObject({
    code: 2,
    output: 'eu-1 still has 1 tenants: move them to another server first.\n',
  });
  await server.entrance.close();
  expect((await run(['list'])).output).toMatch(/\neu-1 .* down: connection refused\n$/);
  await server.entrance.reopen();
});

test('what it cannot do it says in a sentence, and changes nothing', async () => {
  const says = async (...options: string[]) => {
    const { code, output } = await run(options);
    return { code, first: output.split('\n')[0] };
  };
  expect(await says('paint', 'eu-1')).toEqual({ code: 2, first: 'That is no command.' });
  expect(await says('open', 'mars')).toEqual({ code: 2, first: 'There is no database server mars.' });
  expect(await says('add', 'eu-2', '--url', 'nonsense', '--capacity', 'many')).toEqual({
    code: 2,
    first: '--url must be a URL such as postgresql://role@host:5432/postgres, with the password of the role',
  });
  expect(await says('add', 'eu-2', '--url', server.directUrl, '--capacity', '10')).toEqual({
    code: 2,
    first: 'This server is registered already, as eu-1.',
  });
  expect(await says('set', 'eu-1', '--url', server.url.replace(/:\d+\//, ':1/'))).toEqual({
    code: 2,
    first: '--url: 127.0.0.1:1 cannot be used: connection refused.',
  });
});
