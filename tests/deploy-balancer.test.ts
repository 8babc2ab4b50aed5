import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase } from './support/database.ts';
import { cleanUp, type GatewayProcess, startGateway, temporaryFolder } from './support/gateway-process.ts';
import { freePort } from './support/redis-server.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

/** As it is, but for where it listens, and gateways that are named instead of looked up in Docker's DNS. */
async function startBalancer(gateways: GatewayProcess[]): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort();
  const servers = gateways
    .map(({ url }, at) => `    server gateway${at} ${url.slice('http://'.length)} check`)
    .join('\n');
  const given = await readFile('deploy/haproxy/haproxy.cfg', 'utf8');
  const config = given
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace(/^ *server-template .*$/m, servers)
    .replace(/^resolvers docker\n(?: .*\n)+/m, '');
  expect(config).not.toMatch(/docker|:8080/);
  const file = join(await temporaryFolder(), 'haproxy.cfg');
  await writeFile(file, config);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'haproxy', '-f', file], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    () => fetch(`${url}/api/health`).catch(() => undefined),
    (answer) => answer?.status === 200,
  );
  return { url, process: child };
}

describeIf('the balancer of compose.yml', hasProgram('haproxy'), 'haproxy is not installed', () => {
  let databaseUrl: string;
  let gateways: GatewayProcess[];
  let balancer: Awaited<ReturnType<typeof startBalancer>>;
  let admin: Actor;

  beforeAll(async () => {
    await ensureBuilt();
    databaseUrl = await createControlDatabase();
    const env = {
      DATABASE_URL: databaseUrl,
      JWT_SECRET,
      WARM_DATABASES: '0',
      TRUST_PROXY: '127.0.0.1',
      LOG_LEVEL: 'info',
    };
    gateways = [await startGateway(env), await startGateway(env)];
    balancer = await startBalancer(gateways);
    admin = await superAdmin(balancer);
  });
  afterAll(async () => {
    closeSockets();
    balancer?.process.kill('SIGKILL');
    await cleanUp();
    await dropControlDatabase(databaseUrl);
  });

  test('shows strangers neither metrics nor readiness, and everything else', async () => {
    const statuses = async (path: string) => (await fetch(`${balancer.url}${path}`, { redirect: 'manual' })).status;
    expect(await statuses('/metrics')).toBe(404);
    expect(await statuses('/readyz')).toBe(404);
    expect(await statuses('/api/health')).toBe(200);
    expect(await statuses('/console')).toBe(200);
    expect((await admin.rest('GET', '/api/super-admin/tenants')).status).toBe(200);
  });

  test('lets clients neither say who they are nor what is traced', async () => {
    const headers = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'elsewhere.test',
    };
    const { headers: answered } = await fetch(`${balancer.url}/api/health`, { headers });
    // Set where a request came by TLS.
    expect(answered.get('strict-transport-security')).toBeNull();
    const email = `forwarded-${process.pid}@balancer.test`;
    const { status } = await admin.rest(
      'POST',
      '/api/super-admin/admins',
      { name: 'Forwarded', email, password: 'a good password' },
      headers,
    );
    expect(status).toBe(201);
    const { data } = await admin.graphql('{ auditLog(first: 100) { nodes { action address } } }');
    const addresses = (data.auditLog.nodes as { address: string | null }[]).map(({ address }) => address);
    expect(addresses).toContain('127.0.0.1');
    expect(addresses).not.toContain('203.0.113.9');
  });

  test('carries sockets', async () => {
    const followed = follow(socketClient(balancer, bearer(admin)), 'subscription { systemHealthChanged { kind } }');
    expect(await followed.until(1)).toHaveLength(1);
    followed.stop();
  });

  test('sends a gateway that is asked to stop nothing more: no request fails while one goes', async () => {
    const failures: string[] = [];
    const answered = { count: 0 };
    let going = true;
    const clients = Array.from({ length: 8 }, async () => {
      while (going) {
        const status = await admin.rest('GET', '/api/super-admin/tenants').then(
          (answer) => answer.status,
          (error: Error) => String(error.cause ?? error),
        );
        if (status !== 200) failures.push(String(status));
        answered.count++;
      }
    });
    await sleep(300);
    const before = answered.count;
    expect((await gateways[0]!.end('SIGTERM')).code).toBe(0);
    const meanwhile = answered.count;
    await sleep(500);
    going = false;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(before).toBeGreaterThan(0);
    expect(meanwhile).toBeGreaterThan(before);
    expect(answered.count).toBeGreaterThan(meanwhile);
  });
});
