import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { anonymous } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const html = (path: string, url = app.url) => fetch(url + path, { headers: { accept: 'text/html' } });

const TYPES: Record<string, RegExp> = {
  '.css': /^text\/css/,
  '.svg': /^image\/svg/,
  '.js': /^(text|application)\/javascript/,
  '.woff2': /^font\/woff2/,
};

test.each(['/api/docs', '/graphql', '/console', '/console/tenants/some-id'])(
  '%s is a page whose every file comes from this server',
  async (path) => {
    const page = await html(path);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]*)"/g)]
      .map(([, file]) => file!)
      .filter((file) => !file.startsWith('data:'));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^\/[^/]/);
      const answer = await fetch(app.url + file);
      expect([file, answer.status]).toEqual([file, 200]);
      expect(answer.headers.get('content-type')).toMatch(TYPES[/\.\w+$/.exec(file)![0]]!);
    }
  },
);

test('files of the console come packed to whoever takes that, and plain to others', async () => {
  const [script] = /\/console\/assets\/[^"]*\.js/.exec(await (await html('/console')).text())!;
  const ask = (encoding: string) => fetch(app.url + script, { headers: { 'accept-encoding': encoding } });
  const [packed, plain] = await Promise.all([ask('gzip'), ask('identity')]);
  expect(packed.headers.get('content-encoding')).toBe('gzip');
  expect(plain.headers.get('content-encoding')).toBeNull();
  for (const { headers } of [packed, plain]) expect(headers.get('vary')).toMatch(/accept-encoding/i);
  expect(Number(packed.headers.get('content-length'))).toBeLessThan(Number(plain.headers.get('content-length')) / 2);
  expect(await packed.text()).toBe(await plain.text());
});

test('nothing else of the packages behind the pages is served', async () => {
  for (const path of ['swagger-ui/package.json', 'graphiql/package.json', 'react/../package.json', 'swagger-ui/']) {
    expect([path, (await fetch(`${app.url}/assets/${path}`)).status]).toEqual([path, 404]);
  }
});

test('pages of the console and the playground take scripts and connections of this server alone', async () => {
  for (const path of ['/console', '/graphql']) {
    const { headers } = await html(path);
    expect(headers.get('content-security-policy')).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
    expect(headers.get('cache-control')).toBe('no-cache');
  }
  expect((await fetch(`${app.url}/console/assets/none.js`)).status).toBe(404);
});

test('a program that asks /graphql for nothing gets no page', async () => {
  const answer = await fetch(`${app.url}/graphql`, { headers: { accept: 'application/json' } });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toMatch(/json/);
});

test('in production there are an API description and a console, but no playground unless it is asked for', async () => {
  const production = await startApp({
    NODE_ENV: 'production',
    JWT_SECRET: 'a secret of the tests, long enough for it',
  });
  try {
    expect((await html('/api/docs', production.url)).status).toBe(200);
    expect((await html('/graphql', production.url)).headers.get('content-type')).not.toMatch(/html/);
    expect((await html('/console', production.url)).status).toBe(200);
  } finally {
    await production.stop();
  }
  const asked = await startApp({
    NODE_ENV: 'production',
    JWT_SECRET: 'a secret of the tests, long enough for it',
    PLAYGROUND: 'true',
  });
  try {
    expect((await html('/graphql', asked.url)).headers.get('content-type')).toMatch(/html/);
  } finally {
    await asked.stop();
  }
});

test('outside production one setting turns the playground and the description of the schema off', async () => {
  const off = await startApp({ PLAYGROUND: 'false' });
  try {
    expect((await html('/graphql', off.url)).headers.get('content-type')).not.toMatch(/html/);
    const { errors } = await anonymous(off).graphql('{ __schema { queryType { name } } }');
    expect(errors?.[0]?.extensions.code).toBe('VALIDATION_FAILED');
  } finally {
    await off.stop();
  }
});
