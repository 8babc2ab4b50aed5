import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import { type Actor, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { accessibilityFindings, hasBrowser, openPage, picture, signIn, startBrowser } from './support/browser.ts';
import { serverUrl, sql } from './support/database.ts';
import { CURE, makeOneOlder, POISON } from './support/older-version.ts';

describeIf('upgrades in the console', hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let root: Actor;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let tenants: Tenant[];
  const inTenant = ({ id }: Tenant, text: string) => sql(serverUrl(app.services.servers.home.nameFor(id)), text);

  beforeAll(async () => {
    app = await startApp({ UPGRADE_TENANTS: 'manual' });
    root = await superAdmin(app);
    tenants = [];
    for (let made = 0; made < 4; made++) tenants.push(await provision(root));
    await makeOneOlder(
      app.databaseUrl,
      tenants.map(({ id }) => id),
    );
    browser = await startBrowser();
    ({ page, problems } = await openPage(browser, app));
    await signIn(page, app, '/upgrades');
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  const state = (text: string) => page.getByTestId('upgrade-state').getByText(text, { exact: true }).waitFor();
  const progress = (text: string) => page.getByTestId('upgrade-progress').getByText(text).waitFor();

  test('one is started from its plan, seen as it goes, resumed after its canary; a tenant is set aside, mended and tried again', async () => {
    const poisoned = tenants[2]!;
    await inTenant(poisoned, POISON);
    await page.getByText(`4 tenants are behind schema version ${newest}.`).waitFor();
    await page.getByText('No upgrade yet').waitFor();

    await page.getByRole('button', { name: 'Start an upgrade' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`Version ${newest}: Tenant0005Checksums`).click();
    await dialog.getByText('alter table "mikro_orm_migrations"', { exact: false }).waitFor();
    await dialog.getByLabel('Canary', { exact: false }).first().fill('1');
    await page.waitForTimeout(400);
    await picture(page, 'upgrade-start');
    expect(await accessibilityFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();

    await state('Paused');
    await page.getByText('The canary of 1 tenant is through', { exact: false }).waitFor();
    await progress('1 of 4 tenants');
    await page.getByRole('button', { name: 'Resume' }).click();
    await state('Ended');
    await progress('3 of 4 tenants · 1 set aside');
    const row = page.getByTestId('set-aside');
    await row.getByText('already exists', { exact: false }).waitFor();
    await row.getByRole('link', { name: poisoned.slug }).waitFor();
    await page.waitForTimeout(400);
    await picture(page, 'upgrades');
    expect(await accessibilityFindings(page)).toEqual([]);

    await inTenant(poisoned, CURE);
    await row.getByRole('button', { name: `Try again: ${poisoned.slug}` }).click();
    await progress('4 of 4 tenants');
    await page.getByText(`All tenants are at schema version ${newest}.`).waitFor();
    await row.waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
  });

  test('what somebody else starts and calls off is seen without asking; in Indonesian as well', async () => {
    await makeOneOlder(
      app.databaseUrl,
      tenants.map(({ id }) => id),
    );
    const { body } = await root.rest('POST', '/api/super-admin/upgrades', { canary: 1 });
    await state('Paused');
    await page.getByText('Earlier upgrades').waitFor();
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByText('Bahasa Indonesia').click();
    await state('Dijeda');
    await page.getByRole('button', { name: 'Batalkan' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Batalkan', exact: true }).last().click();
    await state('Dibatalkan');
    await progress('1 dari 4 tenant · 3 dilewati');
    expect((await root.rest('GET', `/api/super-admin/upgrades/${body.id}`)).body.state).toBe('cancelled');
    expect(problems).toEqual([]);
  });
});
