import { copyFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import type { Browser } from 'playwright-core';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { EXAMPLES } from '../web/src/playground/examples/index.ts';
import { superAdmin } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, picture, startBrowser } from './support/browser.ts';

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

    const open = async (title: string) => {
      const examples = page.getByRole('region', { name: 'Examples' });
      if (!(await examples.isVisible()))
        await page
          .getByRole('button', { name: /Examples/ })
          .first()
          .click();
      await examples.getByRole('button', { name: title }).first().click();
    };
    const titleOf = (name: string) => EXAMPLES.find(({ document }) => document.includes(name))!.title;
    const answer = page.locator('.graphiql-response');
    const run = () => page.getByRole('button', { name: /^Execute query/ }).click();

    await open(titleOf('provisionTenant'));
    await run();
    await answer.getByText('provisionTenant').first().waitFor();
    await picture(page, 'playground');
    if (process.env.UPDATE_PICTURES) await copyFile('tests/artifacts/playground.png', 'docs/images/playground.png');

    await open(titleOf('tenantChanged'));
    await run();
    await answer.getByText('SNAPSHOT').first().waitFor();
    const root = await superAdmin(app);
    await root.rest('POST', '/api/super-admin/tenants', { name: 'Seen live', slug: 'seen-live' });
    await answer.getByText('seen-live').first().waitFor();
    expect(problems).toEqual([]);
  });
});
