import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Actor, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import {
  accessibilityFindings,
  hasBrowser,
  LOOKS,
  openPage,
  picture,
  signIn,
  startBrowser,
} from './support/browser.ts';
import { sql } from './support/database.ts';
import { startTenantServer, type TenantServer } from './support/tenant-servers.ts';

describeIf('database servers in the console', hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let server: TenantServer;
  let root: Actor;
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    [app, server] = await Promise.all([startApp(), startTenantServer()]);
    root = await superAdmin(app);
    browser = await startBrowser();
    ({ page, problems } = await openPage(browser, app));
    await signIn(page, app);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    await server?.remove();
  });

  const go = (place: string) =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place }).click();
  const row = () => page.getByTestId('server-eu-1');
  const choose = async (item: string) => {
    await row().getByRole('button', { name: 'What to do with eu-1' }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };

  test('one is registered in a dialog that says what does not fit, and keeps its password to itself', async () => {
    await go('Database servers');
    await page.getByTestId('server-home').waitFor();
    await page.getByRole('button', { name: 'Register server' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('eu-1');
    await dialog.getByLabel('Address').fill(server.url.replace(/:\d+\//, ':1/'));
    await dialog.getByLabel('Region').fill('eu');
    await dialog.getByLabel('Capacity').fill('10');
    await dialog.getByRole('button', { name: 'Register' }).click();
    await dialog.getByText('127.0.0.1:1 cannot be used: connection refused.').waitFor();
    await dialog.getByLabel('Address').fill(server.url);
    await dialog.getByRole('button', { name: 'Register' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await row().getByText(new URL(server.url).host).waitFor();
    await row().getByText('Up', { exact: true }).waitFor();
    expect(await page.content()).not.toContain(server.password);
  });

  test('it is drained and opened again, after a question', async () => {
    await choose('Drain');
    const dialog = page.getByRole('dialog', { name: 'Drain eu-1?' });
    await dialog.getByText('It takes no new tenants.').waitFor();
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await row().getByText('Draining').waitFor();
    await choose('Open');
    await page.getByRole('dialog').getByRole('button', { name: 'Open' }).click();
    await row().getByText('Open', { exact: true }).waitFor();
  });

  test('one that goes away is seen here, and the health page names the tenants that it affects', async () => {
    const tenant = await provision(root, { name: 'Far Away Ltd', region: 'eu' });
    await server.entrance.close();
    await row().getByText('Down').waitFor();
    await sql(
      app.databaseUrl,
      `insert into left_databases (server_id, name, org_id, slug, left_at)
       select id, 't_gone', gen_random_uuid(), 'gone', now() from database_servers where name = 'eu-1'`,
    );
    await row().getByText('One database of a removed tenant is dropped when it is back.').waitFor();
    await go('Health');
    const card = page.getByTestId('health-server-eu-1');
    await card.getByText('1 tenant cannot be used until it is back:').waitFor();
    await page.getByTestId('health-banner').getByText('Database server eu-1').waitFor();
    await server.entrance.reopen();
    await card.getByText('Up').waitFor();
    await provision(root);
    await page.goto(`${app.url}/console/tenants/${tenant.id}`);
  });

  test.each(['light', 'dark', 'narrow'] as const)('the screen is readable, reachable and fits: %s', async (which) => {
    const other = await openPage(browser, app, LOOKS[which]);
    await signIn(other.page, app);
    await other.page.goto(`${app.url}/console/servers`);
    await other.page.getByTestId('server-eu-1').waitFor();
    await other.page.waitForTimeout(600);
    await picture(other.page, `servers-${which}`);
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await other.page.evaluate(overflow)).toBe(0);
    expect(await accessibilityFindings(other.page)).toEqual([]);
    await other.page.context().close();
  });

  test('it speaks Indonesian as well, and nothing was thrown in the page', async () => {
    await page.evaluate("localStorage.setItem('omnistream.language', 'id')");
    await page.goto(`${app.url}/console/servers`);
    await page.getByRole('heading', { level: 1, name: 'Server basis data' }).waitFor();
    await page.getByRole('button', { name: 'Daftarkan server' }).waitFor();
    // Also why one is away.
    await server.entrance.close();
    await row().getByText('sambungan ditolak').waitFor();
    await page.goto(`${app.url}/console/health`);
    await page.getByTestId('health-server-eu-1').getByText('sambungan ditolak').waitFor();
    expect(problems).toEqual([]);
  });
});
