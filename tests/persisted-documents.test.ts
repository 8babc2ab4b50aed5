import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Request } from 'playwright-core';
import { type Actor, eventually, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, signIn, startBrowser } from './support/browser.ts';
import { expectGraphqlError } from './support/errors.ts';
import { streamed } from './support/event-streams.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

const KNOWN = `query Who { me { ...Person } } fragment Person on Me { id role }`;

let folder: string;
let app: TestApp;
let root: Actor;

const start = (file: string, databaseUrl?: string, more: Record<string, string> = {}) =>
  startApp({ PERSISTED_DOCUMENTS_ONLY: 'true', PERSISTED_DOCUMENTS: file, ...more }, databaseUrl);
async function fileOf(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documents-'));
  const file = await fileOf('documents.graphql', `${KNOWN} subscription Tenants { tenantChanged { kind } }`);
  app = await start(file);
  root = await superAdmin(app);
});
afterAll(async () => {
  closeSockets();
  await app?.stop();
  await rm(folder, { recursive: true, force: true });
});

const me = { data: { me: { id: expect.any(String), role: 'super_admin' } } };

describe('where only known documents are run', () => {
  test('those of the file are, however a client writes them down', async () => {
    expect(await root.graphql(KNOWN)).toEqual(me);
    const { data } = await root.graphql(
      'fragment Person on Me { __typename id, role } query Who { __typename me { __typename ...Person } }',
    );
    expect(data.me.role).toBe('super_admin');
  });

  test.each([
    ['another one', '{ me { id role } }'],
    ['one with a field more', KNOWN.replace('role', 'role email')],
    ['one with an operation more', `${KNOWN} query Other { me { email } }`],
    ['one under another name', KNOWN.replace('Who', 'Whom')],
    ['one with another name for a field', KNOWN.replace('role', 'role: email')],
    ['a question about the schema', '{ __schema { queryType { name } } }'],
    ['a change', 'mutation { logout { id } }'],
  ])('%s is refused, over HTTP, sockets and event streams', async (_, query) => {
    expectGraphqlError(await root.graphql(query), 'VALIDATION_FAILED');
    const follower = follow(socketClient(app, bearer(root)), query);
    await follower.ended;
    expect(follower.errors[0].extensions.code).toBe('VALIDATION_FAILED');
    const [first] = await Array.fromAsync(streamed(app, { query }, bearer(root)));
    expectGraphqlError(first!.data, 'VALIDATION_FAILED');
  });

  test('a subscription of the file is followed', async () => {
    const follower = follow(socketClient(app, bearer(root)), 'subscription Tenants { tenantChanged { kind } }');
    expect(await follower.until(1)).toEqual([{ kind: 'SNAPSHOT' }]);
  });

  test('REST is as ever, and there is no playground', async () => {
    expect((await root.rest('GET', '/api/super-admin/tenants')).status).toBe(200);
    const page = await fetch(`${app.url}/graphql`, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([406, expect.stringMatching(/json/)]);
  });

  test("the manifest of a client's build will do for a file", async () => {
    const other = await start(await fileOf('manifest.json', JSON.stringify({ 'sha256:1': KNOWN })), app.databaseUrl);
    try {
      expect(await (await superAdmin(other)).graphql(KNOWN)).toEqual(me);
    } finally {
      await other.stop();
    }
  });
});

describe('a gateway does not start', () => {
  test.each([
    ['with a file that is not there', 'none.graphql', undefined, /none\.graphql cannot be used: ENOENT/],
    ['with one that is neither GraphQL', 'broken.graphql', 'query {', /cannot be used: Syntax Error/],
    ['nor a manifest', 'broken.json', '{"a": 1}', /no object of ids and texts/],
    ['with a document that does not fit the schema', 'old.graphql', 'query Old { nothing }', /Old in .*Cannot query/],
  ])('%s', async (_, name, text, reason) => {
    const file = text === undefined ? join(folder, name) : await fileOf(name, text);
    await expect(start(file, app.databaseUrl)).rejects.toThrow(reason);
  });

  test('with settings that contradict each other', async () => {
    await expect(startApp({ PERSISTED_DOCUMENTS: 'x' })).rejects.toThrow(/without PERSISTED_DOCUMENTS_ONLY/);
    await expect(startApp({ PERSISTED_DOCUMENTS_ONLY: 'true', PLAYGROUND: 'true' })).rejects.toThrow(/PLAYGROUND/);
  });
});

describeIf('the console', hasBrowser, 'chromium is not on PATH', () => {
  test('works on its own documents alone', async () => {
    const browser = await startBrowser();
    const own = await startApp({ PERSISTED_DOCUMENTS_ONLY: 'true' }, app.databaseUrl);
    try {
      const { page } = await openPage(browser, own);
      const answers: string[] = [];
      const asked = new Set<Request>();
      page.on('request', (request) => {
        if (request.url().endsWith('/graphql')) asked.add(request);
      });
      page.on('requestfailed', (request) => asked.delete(request));
      page.on('response', async (answer) => {
        if (answer.url().endsWith('/graphql')) answers.push(await answer.text().catch(() => ''));
        asked.delete(answer.request());
      });
      page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => answers.push(String(payload))));
      const withData = () => answers.filter((answer) => answer.includes('"data"')).length;
      await signIn(page, own);
      for (const path of ['tenants', 'health', 'usage', 'audit', 'admins']) {
        const before = withData();
        await page.goto(`${own.url}/console/${path}`);
        await page.getByRole('heading').first().waitFor();
        await eventually(
          async () => [path, withData() - before, asked.size] as const,
          ([, fresh, pending]) => fresh > 0 && pending === 0,
        );
      }
      expect(answers.filter((answer) => answer.includes('VALIDATION_FAILED'))).toEqual([]);
    } finally {
      await browser.close();
      await own.stop();
    }
  });
});
