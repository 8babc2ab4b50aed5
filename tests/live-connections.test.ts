import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { holdTable, sql } from './support/database.ts';
import { openStream } from './support/event-streams.ts';
import { reading, scrape } from './support/metrics.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

let app: TestApp;
let root: Actor;
let tenant: Tenant;

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  tenant = await provision(root);
});
afterAll(async () => {
  closeSockets();
  await app.stop();
});

const gauge = async (name: string, labels?: Record<string, string>) => reading(await scrape(app), name, labels) ?? 0;
const openStreams = () => gauge('omnistream_live_connections', { kind: 'stream' });

/** Asks for a stream, and leaves the reading of it to the caller. */
function silentStream(query: string) {
  const asked = request(`${app.url}/graphql/stream`, {
    method: 'POST',
    headers: { ...bearer(root), 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  asked.on('error', () => {});
  asked.end(JSON.stringify({ query }));
  return asked;
}

test('a stream that does not read is cut off when a thousand events wait for it; who reads is told them all', async () => {
  const cutOff = await gauge('omnistream_subscribers_cut_off_total');
  const many = Array.from({ length: 25 }, (_, index) => `name${index}: name`).join(' ');
  const silent = silentStream(`subscription { tenantChanged { tenant { ${many} } } }`);
  const [answer] = await once(silent, 'response');
  answer.pause();
  const reader = follow(socketClient(app, bearer(root)), 'subscription { tenantChanged { sequence } }');
  await reader.until(1);
  await eventually(openStreams, (count) => count === 1);
  // Some megabytes of them are on the way to the one that does not read.
  await sql(
    app.databaseUrl,
    `insert into events (topic, payload)
       select 'tenant', jsonb_build_object('tenantId', $1::text, 'change', 'updated', 'tenant',
                          jsonb_build_object('id', $1::text, 'name', repeat('x', 2000)))
         from generate_series(1, 2500)`,
    [tenant.id],
  );
  await eventually(openStreams, (count) => count === 0, 30_000);
  expect(await gauge('omnistream_subscribers_cut_off_total')).toBe(cutOff + 1);
  expect((await reader.until(2501, 30_000)).length).toBe(2501);
  silent.destroy();
});

test('a stream whose client leaves while it is judged is not counted as open', async () => {
  const ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const { body } = await ayu.rest('POST', '/api/api-keys', { name: 'follows', scopes: ['logs.view'] });
  const held = await holdTable(app.databaseUrl, 'api_keys');
  const leaves = new AbortController();
  const query = `subscription { workingHoursStatusChanged(tenant: "${tenant.slug}") { kind } }`;
  const answer = openStream(app, { query }, { 'x-api-key': body.key }, leaves.signal);
  await held.wanted(1);
  leaves.abort();
  await expect(answer).rejects.toThrow('aborted');
  // Time to notice it, and then to go on.
  await sleep(200);
  await held.letGo();
  await sleep(300);
  expect(await openStreams()).toBe(0);
});

const HOURS = 'subscription($tenant:String){workingHoursStatusChanged(tenant:$tenant){kind}}';

test.each([
  [
    'socket',
    () => '/graphql',
    [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: graphql-transport-ws',
    ],
    /The gateway stops/,
  ],
  [
    'stream',
    () =>
      `/graphql/stream?${new URLSearchParams({ query: HOURS, variables: JSON.stringify({ tenant: tenant.slug }) })}`,
    ['Accept: text/event-stream'],
    /^$/,
  ],
])('a %s that is on its way when the gateway begins to stop does not hold it up', async (_, path, headers, told) => {
  const other = await startApp({}, app.databaseUrl);
  const { port, hostname } = new URL(other.url);
  const client = connect(Number(port), hostname);
  let text = '';
  client.on('data', (data) => {
    text += data;
  });
  client.write([`GET ${path()} HTTP/1.1`, `Host: ${hostname}`, ...headers, ''].join('\r\n'));
  await eventually(
    () => connectionsOf(other),
    (count) => count === 1,
  );
  const stopped = other.stop();
  await eventually(
    async () => other.http.server.listening,
    (listening) => !listening,
  );
  client.write('\r\n');
  await once(client, 'close');
  await stopped;
  expect(text).toMatch(told);
  expect(text).not.toContain('SNAPSHOT');
});

const connectionsOf = ({ http }: TestApp) =>
  new Promise<number>((resolve) => http.server.getConnections((_, count) => resolve(count)));
