import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, signIn, startBrowser } from './support/browser.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';

describeIf("a tenant's data in the console", hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let root: Actor;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let tenant: Tenant;

  beforeAll(async () => {
    app = await startApp({ DATA_DIR: await temporaryFolder() });
    root = await superAdmin(app);
    tenant = await provision(root, { name: 'Leaving Soon', slug: 'leaving-soon' });
    browser = await startBrowser();
    ({ page, problems } = await openPage(browser, app));
    await signIn(page, app);
    await page.goto(`${app.url}/console/tenants/${tenant.id}?tab=data`);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    await cleanUp();
  });

  const now = async () => (await root.rest('GET', `/api/super-admin/tenants/${tenant.id}`)).body;
  const button = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true });
  const dialog = () => page.getByRole('dialog');
  const confirm = (name: string) => dialog().getByRole('button', { name, exact: true }).click();

  test('is exported, and fetched as soon as it is ready', async () => {
    await button('Export all data').click();
    const [row] = [page.getByTestId('export').first()];
    await row.getByText('Ready').waitFor();
    const coming = page.waitForEvent('download');
    await row.getByRole('button', { name: /^Records/ }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toMatch(/^leaving-soon-\d{8}T\d{6}Z\.ndjson\.gz$/);
    const text = gunzipSync(await readFile(await download.path())).toString();
    expect(JSON.parse(text.trimEnd().split('\n').at(-1)!)).toMatchObject({ type: 'end' });
  });

  test('is archived after saying what that does, and comes back with what was there', async () => {
    await root.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    await button('Archive').click();
    await dialog().getByText('Then the database is dropped.', { exact: false }).waitFor();
    await confirm('Archive');
    await page.getByText('Archived', { exact: true }).first().waitFor();
    expect((await now()).archived_at).toBeDefined();
    expect(await button('Restore').count()).toBe(0);
    await page.getByRole('tab', { name: 'Users' }).click();
    await page.getByText('It has no database', { exact: false }).waitFor();
    await page.getByRole('tab', { name: 'Data' }).click();
    await button('Restore from archive').click();
    await dialog().getByLabel('Make it active then').uncheck();
    await confirm('Restore from archive');
    await eventually(now, ({ archived_at }) => !archived_at, 30_000);
    await button('Archive').waitFor();
    expect((await now()).status).toBe('suspended');
  });

  test('ends after a countdown that is seen everywhere and called off by a button', async () => {
    await button('Remove for good').click();
    await dialog()
      .getByLabel(/^Type leaving-soon/)
      .fill('another-one');
    expect(await dialog().getByRole('button', { name: 'Begin the countdown' }).isDisabled()).toBe(true);
    await dialog()
      .getByLabel(/^Type leaving-soon/)
      .fill('leaving-soon');
    await confirm('Begin the countdown');
    const countdown = page.getByTestId('countdown');
    await countdown.getByText('Everything of it is removed for good in', { exact: false }).waitFor();
    await page.goto(`${app.url}/console/tenants`);
    await page
      .getByTestId('tenant-row')
      .getByText(/^Ends in/)
      .first()
      .waitFor();
    await page.goto(`${app.url}/console/tenants/${tenant.id}?tab=data`);
    await countdown.getByRole('button', { name: 'Call it off' }).click();
    await countdown.waitFor({ state: 'hidden' });
    expect((await now()).purge_at).toBeUndefined();
  });

  test('speaks Indonesian as well, and the log says what was done', async () => {
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByText('Bahasa Indonesia').click();
    await page.getByText('Ekspor semua data').waitFor();
    expect(await page.getByText(/^[a-z-]+(\.[a-zA-Z_]+)+$/).count()).toBe(0);
    await page.goto(`${app.url}/console/tenants/${tenant.id}?tab=activity`);
    for (const sentence of ['memulai ekspor', 'mulai mengarsipkan', 'membatalkan akhir']) {
      await page.getByText(sentence, { exact: false }).first().waitFor();
    }
    expect(problems).toEqual([]);
  });
});
