import { copyFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import type { Browser } from 'playwright-core';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { EXAMPLES } from '../web/src/playground/examples/index.ts';
import { Actor, eventually, superAdmin } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, picture, startBrowser } from './support/browser.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

describe('the examples of the playground', () => {
  test('every one of them fits the schema, and each subscription has one', async () => {
    const schema = await buildGatewaySchema();
    for (const { id, document } of EXAMPLES) {
      expect([id, validate(schema, parse(document)).map(({ message }) => message)]).toEqual([id, []]);
    }
    for (const name of Object.keys(schema.getSubscriptionType()!.getFields())) {
      expect(EXAMPLES.some(({ document }) => document.includes(name))).toBe(true);
    }
    expect(new Set(EXAMPLES.map(({ id }) => id)).size).toBe(EXAMPLES.length);
  });
});

describe('the examples on a fresh start', () => {
  const { fetch: ask, sessionStorage: storage } = globalThis;
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
    // What the page has: addresses without a host, and a place to keep who is signed in.
    globalThis.fetch = (input, init) => ask(new URL(String(input), app.url), init);
    const kept = new Map<string, string>();
    globalThis.sessionStorage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    } as Storage;
  });
  afterAll(async () => {
    closeSockets();
    globalThis.fetch = ask;
    globalThis.sessionStorage = storage;
    await app?.stop();
  });

  test('every one of them runs, in the order in which they are shown, filled in and signed in by itself', async () => {
    const { prepare } = await import('../web/src/playground/fill.ts');
    const { activeIdentity, adopt, getSession } = await import('../web/src/playground/session.ts');
    await adopt((await superAdmin(app)).token!);
    for (const { id, document, ...rest } of EXAMPLES) {
      // The company that one makes takes a moment until others can use it.
      const prepared = await eventually(
        () => prepare({ id, document, ...rest }),
        ({ problems }) => problems.length === 0,
      );
      const variables = JSON.parse(prepared.variables || '{}');
      const actor = new Actor(app.url, activeIdentity(getSession())?.token);
      if (/^\s*subscription\b/m.test(document)) {
        const [event] = await follow(socketClient(app, bearer(actor)), document, variables).until(1);
        expect([id, event.kind]).toEqual([id, 'SNAPSHOT']);
      } else {
        const { data, errors } = await actor.graphql(document, variables);
        expect([id, errors]).toEqual([id, undefined]);
        expect(Object.values(data)).not.toContain(null);
      }
    }
  });
});

describeIf('the playground in a browser', hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let browser: Browser;

  beforeAll(async () => {
    app = await startApp();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  test('one signs in from inside, makes a tenant by an example, and follows it by another', async () => {
    const { page, problems } = await openPage(browser, app);
    await page.goto(`${app.url}/graphql`);
    const panel = page.getByRole('region', { name: 'Sign in' });
    await page.getByRole('button', { name: 'Not signed in' }).waitFor();
    if (!(await panel.isVisible())) await page.getByRole('button', { name: 'Not signed in' }).click();
    await panel.getByLabel('E-mail').fill(SUPER_ADMIN.email);
    await panel.getByLabel('Password').fill(SUPER_ADMIN.password);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: new RegExp(`Requests go as ${SUPER_ADMIN.email}`) }).waitFor();

    const open = async (operation: string) => {
      const title = titleOf(operation);
      const examples = page.getByRole('region', { name: 'Examples' });
      if (!(await examples.isVisible()))
        await page
          .getByRole('button', { name: /Examples/ })
          .first()
          .click();
      await examples.getByRole('button', { name: title }).first().click();
      // What is run is what the editor holds.
      await page.locator('.graphiql-query-editor').getByText(operation).first().waitFor();
    };
    const titleOf = (name: string) => EXAMPLES.find(({ document }) => document.includes(name))!.title;
    const answer = page.locator('.graphiql-response');
    const run = () => page.getByRole('button', { name: /^Execute query/ }).click();

    await open('provisionTenant');
    await run();
    await answer.getByText('provisionTenant').first().waitFor();
    await picture(page, 'playground');
    if (process.env.UPDATE_PICTURES) await copyFile('tests/artifacts/playground.png', 'docs/images/playground.png');

    await open('tenantChanged');
    await run();
    await answer.getByText('SNAPSHOT').first().waitFor();
    const root = await superAdmin(app);
    await root.rest('POST', '/api/super-admin/tenants', { name: 'Seen live', slug: 'seen-live' });
    await answer.getByText('seen-live').first().waitFor();
    expect(problems).toEqual([]);
  });
});
