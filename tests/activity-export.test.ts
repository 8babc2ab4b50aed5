import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError } from './support/errors.ts';
import { took } from './support/many-tenants.ts';
import { addUser } from './support/tenants.ts';

const EXPORT = '/api/activity-logs/export';
const MANY = 5000;

let app: TestApp;
let tenant: Tenant;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  tenant = await provision(await superAdmin(app));
  admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const ids = Array.from({ length: MANY }, () => uuidv7());
  // 1 KB each, so that all of it is more than a socket's buffers hold.
  await insert(
    `select id, 'system', 'many.made', null, jsonb_build_object('text', repeat('x', 1000)), now()
    from unnest($1::uuid[]) id`,
    [ids],
  );
});
afterAll(() => app?.stop());

const insert = (values: string, parameters: unknown[]) =>
  app.services.tenants.rows(
    tenant.id,
    { name: '', text: `insert into activity_log (id, actor_kind, action, target_id, after, created_at) ${values}` },
    parameters,
  );
const row = (action: string, targetId: string) =>
  insert(`values ($1, 'system', $2, $3, '{"name": "=1+1", "fullName": "a,b"}', now())`, [uuidv7(), action, targetId]);

async function exported(query: string, by = admin): Promise<{ response: Response; text: string }> {
  const response = await fetch(`${app.url}${EXPORT}?${query}`, { headers: { authorization: `Bearer ${by.token}` } });
  return { response, text: await response.text() };
}

/** How often the list is read from the tenant's log from now on. */
function countReads(fail?: (reads: number) => boolean): { reads: number; end(): void } {
  const databases = app.services.tenants;
  const { rows } = databases;
  const count = {
    reads: 0,
    end: () => {
      databases.rows = rows;
    },
  };
  databases.rows = ((...args: Parameters<typeof rows>) => {
    if (args[1].name.startsWith('activity_log')) {
      count.reads += 1;
      if (fail?.(count.reads)) return Promise.reject(new Error('away'));
    }
    return rows.apply(databases, args);
  }) as typeof rows;
  return count;
}

/** Asks without reading the answer's body. */
const begin = () => {
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  const headers = { authorization: `Bearer ${admin.token}` };
  get(`${app.url}${EXPORT}?format=ndjson&action=many.made`, { headers, agent: false }, resolve).on('error', reject);
  return promise;
};

test('CSV has a line of names, quotes what it has to, and defuses formulas', async () => {
  const targets = ['=cmd|calc', '+1', '-1', '@sum', '\tx', 'say "hi"', 'two\nlines', 'a\rreturn', 'a,b'];
  for (const target of targets) await row('csv.made', target);
  const { response, text } = await exported('format=csv&action=csv.made');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="activity-log.csv"');
  const lines = text.split('\r\n');
  expect(lines[0]).toBe(
    'id,action,actor_kind,actor_id,actor_email,actor_name,on_behalf_of,on_behalf_of_email,on_behalf_of_name,' +
      'target_type,target_id,before,after,request_id,address,created_at',
  );
  expect(lines.at(-1)).toBe('');
  expect(lines.slice(1, -1)).toHaveLength(targets.length);
  for (const shown of [
    `,'=cmd|calc,`,
    `,'+1,`,
    `,'-1,`,
    `,'@sum,`,
    `,'\tx,`,
    ',"say ""hi""",',
    ',"two\nlines",',
    ',"a,b",',
  ]) {
    expect(text).toContain(shown);
  }
  expect(text).toContain('"{""name"":""=1+1"",""full_name"":""a,b""}"');
  expect((await exported('action=csv.made')).text).toBe(text);
});

test('NDJSON has what the list has, an entry a line', async () => {
  const { response, text } = await exported('format=ndjson&action=user.*');
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="activity-log.ndjson"');
  const { body } = await admin.rest('GET', '/api/activity-logs?action=user.*');
  expect(body.length).toBeGreaterThan(0);
  expect(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ).toEqual(body);
});

test('nothing to export is a file all the same', async () => {
  expect((await exported('format=ndjson&action=no.such')).text).toBe('');
  expect((await exported('format=csv&action=no.such')).text).toMatch(/^id,action,.*\r\n$/);
});

test('thousands of entries begin to arrive before the last is read, each once and in order', async () => {
  const count = countReads();
  try {
    const start = performance.now();
    const answer = await begin();
    const readAtFirst = count.reads;
    took('export of 5,000 entries: first byte', performance.now() - start);
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    took('export of 5,000 entries: all', performance.now() - start);
    const ids = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).id as string);
    expect(new Set(ids).size).toBe(MANY);
    expect(ids).toEqual([...ids].sort().reverse());
    expect(readAtFirst).toBeLessThan(count.reads);
  } finally {
    count.end();
  }
});

test('a client that takes its time is not run ahead of, and one that goes away ends it', async () => {
  const count = countReads();
  try {
    const answer = await begin();
    // Until what lies between the two is full.
    const [ahead] = await eventually(
      async () => [count.reads, await sleep(300), count.reads] as const,
      ([before, , after]) => before > 0 && before === after,
    );
    expect(ahead).toBeLessThan(MANY / 500);
    answer.destroy();
    await sleep(300);
    expect(count.reads).toBeLessThanOrEqual(ahead + 1);
    // Nothing holds on to a connection of the tenant's database.
    expect((await admin.rest('GET', '/api/activity-logs')).status).toBe(200);
  } finally {
    count.end();
  }
});

test('what fails on the first page is an error, what fails later breaks the connection', async () => {
  const first = countReads(() => true);
  const { response } = await exported('format=csv').finally(() => first.end());
  expect(response.status).toBe(500);
  expect(response.headers.get('content-type')).toContain('application/json');
  const later = countReads((reads) => reads === 3);
  await expect(exported('format=csv&action=many.made').finally(() => later.end())).rejects.toThrow();
});

test('it ends when the account behind it is suspended meanwhile', async () => {
  const { id, email } = await addUser(app, tenant.id, { email: 'watcher@export.test', role: 'admin' });
  const watcher = await agent(app, email, 'a password');
  const root = await superAdmin(app);
  // The second page waits until the account is shut: buffers alone may be larger than what there is to send.
  const { rows } = app.services.tenants;
  const { promise: shut, resolve: letGo } = Promise.withResolvers<void>();
  let pages = 0;
  app.services.tenants.rows = (async (...args: Parameters<typeof rows>) => {
    if (args[1].name.startsWith('activity') && ++pages === 2) await shut;
    return rows.apply(app.services.tenants, args);
  }) as typeof rows;
  const response = await fetch(`${app.url}${EXPORT}?format=ndjson`, {
    headers: { authorization: `Bearer ${watcher.token}` },
  });
  expect(response.status).toBe(200);
  await root.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${tenant.id}`);
  await eventually(
    () => watcher.rest('GET', '/api/auth/me'),
    ({ status }) => status === 403 || status === 401,
  );
  letGo();
  await expect(response.text()).rejects.toThrow();
  expect(pages).toBeGreaterThanOrEqual(2);
  app.services.tenants.rows = rows;
});

test('bad questions are refused by name, and so is whoever may not ask', async () => {
  const refused = await admin.rest('GET', `${EXPORT}?format=xml&from=x`);
  expectError(refused, 400, 'validation_failed');
  expect(refused.body.details.map(({ field }: { field: string }) => field).sort()).toEqual(['format', 'from']);
  const { email } = await addUser(app, tenant.id, { email: 'plain@export.test' });
  expectError(await (await agent(app, email, 'a password')).rest('GET', EXPORT), 403, 'forbidden');
});
