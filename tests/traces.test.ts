import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig } from '../src/config.ts';
import { summaryOf } from '../src/telemetry/statements.ts';
import { type Actor, active, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase } from './support/database.ts';
import { cleanUp, type GatewayProcess, startGateway, temporaryFolder } from './support/gateway-process.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';
import { SUPER_ADMIN } from './support/super-admin.ts';
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from './support/trace-receiver.ts';

const PASSWORD = 'the password of an admin of a tenant';
/** prom-client itself loads the API. */
const SDK = /\/@opentelemetry\/(?!api\/)/;
/** Says which modules of OpenTelemetry are loaded. */
const TELLING = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) {
  if (url.includes('/@opentelemetry/')) process.stderr.write('loaded ' + url + '\\n');
  return next(url, context);
} });`;

let receiver: TraceReceiver;
let databaseUrl: string;
let preload: string;
let gateway: GatewayProcess;
let admin: Actor;

const start = (env: Record<string, string>) =>
  startGateway({ DATABASE_URL: databaseUrl, JWT_SECRET, WARM_DATABASES: '0', ...env }, { preload });

beforeAll(async () => {
  await ensureBuilt();
  receiver = await startTraceReceiver();
  databaseUrl = await createControlDatabase();
  preload = join(await temporaryFolder(), 'telling.mjs');
  await writeFile(preload, TELLING);
  gateway = await start({
    LOG_LEVEL: 'info',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=open sesame',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_SERVICE_NAME: 'the gateway of a test',
  });
  admin = await superAdmin(gateway);
});
afterAll(async () => {
  await cleanUp();
  await receiver.stop();
  await dropControlDatabase(databaseUrl);
});

/** A trace as somebody else began it. */
function beginTrace() {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01` } };
}

/** Waits for spans of these names in a trace. @returns the first of each, and all of the trace. */
async function spansOf(traceId: string, ...names: (string | RegExp)[]) {
  const ofTrace = async () => receiver.spans.filter((span) => span.traceId === traceId);
  const find = (spans: ReceivedSpan[]) =>
    names.map((name) => spans.find((span) => (typeof name === 'string' ? span.name === name : name.test(span.name))));
  const all = await eventually(ofTrace, (spans) => find(spans).every(Boolean)).catch(async () => {
    throw new Error(`lacks some of ${names.join(', ')}: ${(await ofTrace()).map(({ name }) => name).join(', ')}`);
  });
  return { all, found: find(all) as ReceivedSpan[] };
}

/** Names of the spans that this one is in, outermost first. */
function pathTo(span: ReceivedSpan, all: ReceivedSpan[]): string[] {
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent ? pathTo(parent, all) : []), span.name];
}

async function createTenant(slug: string, headers: Record<string, string>) {
  const { status, body } = await admin.rest(
    'POST',
    '/api/super-admin/tenants',
    { name: 'A traced tenant', slug, admin_email: `admin@${slug}.test`, admin_password: PASSWORD },
    headers,
  );
  expect(status).toBe(201);
  await active(admin, body.id);
  return body as { id: string };
}

test('a request is one trace, from what its sender began to its statements', async () => {
  const { id } = await createTenant('read-in-a-trace', {});
  const { traceId, spanId, headers } = beginTrace();
  await admin.rest('GET', `/api/super-admin/tenants/${id}`, undefined, { ...headers, 'x-request-id': 'traced-1' });
  const { all, found } = await spansOf(traceId, 'GET /api/super-admin/tenants/:id', 'Query.tenant', /^tenant/);
  const [request, resolver, statement] = found as [ReceivedSpan, ReceivedSpan, ReceivedSpan];
  expect(request).toMatchObject({ parentSpanId: spanId, kind: 2, failed: false });
  expect(request.attributes).toEqual({
    'http.request.method': 'GET',
    'http.route': '/api/super-admin/tenants/:id',
    'http.response.status_code': 200,
    'omnistream.request.id': 'traced-1',
    'omnistream.tenant.id': id,
  });
  expect(resolver.parentSpanId).toBe(request.spanId);
  expect(statement).toMatchObject({ kind: 3, parentSpanId: resolver.spanId });
  expect(statement.attributes).toMatchObject({ 'db.system.name': 'postgresql', 'db.namespace': 'control' });
  expect(all.every((span) => span.traceId === traceId)).toBe(true);
});

test('an answer that stood ready is a trace of its own, that says no more than others', async () => {
  const { id } = await createTenant('ready-in-a-trace', {});
  const asked = async () => {
    const { traceId, spanId, headers } = beginTrace();
    await fetch(`${gateway.url}/api/working-hours/status?tenant=ready-in-a-trace`, { headers });
    return { spanId, ...(await spansOf(traceId, 'GET /api/working-hours/status')) };
  };
  const { spanId, all } = await eventually(asked, ({ all }) => all.length === 1);
  expect(all[0]).toMatchObject({ parentSpanId: spanId, kind: 2, failed: false });
  expect(all[0]!.attributes).toEqual({
    'http.request.method': 'GET',
    'http.route': '/api/working-hours/status',
    'http.response.status_code': 200,
    'omnistream.request.id': expect.any(String),
    'omnistream.tenant.id': id,
  });
});

test('a GraphQL request names its type, and its operation only where its document is known', async () => {
  const { traceId, headers } = beginTrace();
  await admin.rest('POST', '/graphql', { query: 'query Mine { tenants { nodes { id } } }' }, headers);
  const { all, found } = await spansOf(traceId, 'POST /graphql', 'Query.tenants');
  expect(found[0]!.attributes).toMatchObject({ 'graphql.operation.type': 'query', 'graphql.operation.name': 'other' });
  expect(pathTo(found[1]!, all)).toEqual(['POST /graphql', 'Query.tenants']);
});

test('an operation on a socket is a trace of its own', async () => {
  const before = receiver.spans.length;
  const client = socketClient(gateway, bearer(admin));
  const told = await follow(client, '{ usageStandings: tenants { nodes { id } } }').until(1);
  expect(told).toHaveLength(1);
  const spans = async () => receiver.spans.slice(before);
  const all = await eventually(spans, (found) => found.some(({ name }) => name === 'query other'));
  const operation = all.find(({ name }) => name === 'query other')!;
  expect(operation.parentSpanId).toBeUndefined();
  const resolver = await eventually(spans, (found) =>
    found.some(({ parentSpanId }) => parentSpanId === operation.spanId),
  );
  expect(resolver.find(({ parentSpanId }) => parentSpanId === operation.spanId)!.name).toBe('Query.tenants');
  closeSockets();
});

test('the making of a tenant is one trace: request, job, steps, statements, and what every process is told of it', async () => {
  const { traceId, headers } = beginTrace();
  const { id } = await createTenant('made-in-a-trace', headers);
  const { all, found } = await spansOf(
    traceId,
    'job tenant.provision',
    'provisioning create_database',
    'INSERT organizations',
    'event tenant',
    'publish provisioning',
    'event provisioning',
  );
  const [job, step, insert, event, publish, heard] = found.map((span) => pathTo(span, all));
  const making = ['POST /api/super-admin/tenants', 'Mutation.provisionTenant'];
  const working = [...making, 'send tenant.provision', 'job tenant.provision'];
  expect(job).toEqual(working);
  expect(step).toEqual([...working, 'provisioning create_database']);
  expect(insert).toEqual([...making, 'INSERT organizations']);
  expect(event).toEqual([...making, 'publish tenant', 'event tenant']);
  expect(publish!.slice(0, 2)).toEqual(making);
  expect(heard!.at(-2)).toBe('publish provisioning');
  const inJob = all.filter((span) => pathTo(span, all).includes('job tenant.provision'));
  expect(inJob.some(({ attributes }) => attributes['db.system.name'] === 'postgresql')).toBe(true);
  expect(inJob.some(({ name }) => name === 'event provisioning')).toBe(true);
  expect(found[0]!.attributes).toMatchObject({
    'messaging.destination.name': 'tenant.provision',
    'omnistream.tenant.id': id,
    'omnistream.job.attempt': 1,
  });
});

test('what polls and probes is no trace, and a process names itself as it is told to', async () => {
  const { traceId, headers } = beginTrace();
  await fetch(`${gateway.url}/readyz`, { headers });
  await fetch(`${gateway.url}/metrics`, { headers });
  const after = beginTrace();
  await admin.rest('GET', '/api/super-admin/tenants', undefined, after.headers);
  await spansOf(after.traceId, 'GET /api/super-admin/tenants');
  expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  const roots = receiver.spans.filter((span) => !span.parentSpanId);
  expect(roots.filter(({ name }) => !/^(GET|POST|query) /.test(name))).toEqual([]);
  expect(receiver.resource).toMatchObject({ 'service.name': 'the gateway of a test', 'service.version': '0.1.0' });
  expect(receiver.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-collector-key': 'open sesame' } });
});

test('no span holds what anybody sent, or the text of a statement', async () => {
  const wrong = beginTrace();
  const guess = { email: 'somebody@guessing.test', password: 'a wrong guess' };
  await admin.rest('POST', '/api/super-admin/login', guess, wrong.headers);
  await spansOf(wrong.traceId, 'POST /api/super-admin/login');
  const all = JSON.stringify(receiver.spans);
  for (const secret of [PASSWORD, SUPER_ADMIN.password, SUPER_ADMIN.email, guess.email, guess.password, admin.token!]) {
    expect(all).not.toContain(secret);
  }
  expect(all).not.toContain('made-in-a-trace');
  expect(all).not.toMatch(/db\.query\.text|db\.statement/);
});

test('log lines say which request, trace and tenant they are about', async () => {
  const { id } = await createTenant('logged-in-a-trace', {});
  const { traceId, headers } = beginTrace();
  await admin.rest('GET', `/api/super-admin/tenants/${id}`, undefined, { ...headers, 'x-request-id': 'logged-1' });
  const lines = () =>
    gateway
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const line = await eventually(
    async () => lines().find(({ requestId }) => requestId === 'logged-1'),
    (found) => found !== undefined,
  );
  expect(line).toMatchObject({ orgId: id, traceId, path: '/api/super-admin/tenants/:id', status: 200 });
});

describe('how traces are set up', () => {
  let [plain, other, off, away] = [] as GatewayProcess[];

  beforeAll(async () => {
    const to = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    [plain, other, off, away] = await Promise.all([
      start({}),
      start({ ...to, OTEL_BSP_SCHEDULE_DELAY: '60000' }),
      start({ ...to, OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_TRACES_SAMPLER: 'always_off' }),
      start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_BSP_SCHEDULE_DELAY: '50' }),
    ]);
  });

  const ask = async ({ url }: GatewayProcess, headers = {}) =>
    expect((await fetch(`${url}/api/super-admin/tenants`, { headers })).status).toBe(401);
  const inProtobuf = () => receiver.requests.filter(({ headers }) => headers['content-type'] !== 'application/json');

  test('without an address to send them to, OpenTelemetry is not loaded', async () => {
    expect(gateway.output()).toMatch(SDK);
    const { traceId, headers } = beginTrace();
    await ask(plain!, headers);
    const { output } = await plain!.end('SIGTERM');
    expect(output).not.toMatch(SDK);
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });

  test('where none is sampled, none is sent', async () => {
    await ask(off!);
    expect((await off!.end('SIGTERM')).code).toBe(0);
    expect(inProtobuf()).toEqual([]);
  });

  test('protobuf is what is sent unless something else is said, and what is left is sent by a process that ends', async () => {
    await ask(other!);
    expect((await other!.end('SIGTERM')).code).toBe(0);
    expect(inProtobuf()).toMatchObject([{ path: '/v1/traces', headers: { 'content-type': 'application/x-protobuf' } }]);
  });

  test('a collector that is away disturbs nobody, and the log says so', async () => {
    await ask(away!);
    await eventually(
      async () => away!.output(),
      (output) => output.includes('traces could not be sent'),
      30_000,
    );
    expect((await away!.end('SIGTERM')).code).toBe(0);
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317', /must be a URL/],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /over HTTP/],
    ['OTEL_TRACES_SAMPLER', 'sometimes', /must be one of always_on/],
    ['OTEL_TRACES_SAMPLER_ARG', '2', /from 0 to 1/],
  ])('%s=%s is refused at start with a sentence', (name, value, sentence) => {
    expect(() => readConfig({ [name]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [name]: value })).toThrow(sentence);
  });

  test.each([
    [{ name: 'tenant_login', text: 'select 1' }, 'tenant_login'],
    [`insert into "super_admins" ("email") values ('a@b.test')`, 'INSERT super_admins'],
    [`update "organizations" set "name" = 'x from y'`, 'UPDATE organizations'],
    [`select "a"."id" from "agents" as "a" where "email" = 'x'`, 'SELECT agents'],
    [`select 'a secret from "agents"' as x`, 'SELECT'],
    ['begin', 'BEGIN'],
  ])('of a statement no more is told than what it does and to what: %j', (statement, told) => {
    expect(summaryOf(statement)).toBe(told);
  });
});
