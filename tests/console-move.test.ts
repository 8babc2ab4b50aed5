import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { firstSteps } from '../src/domain/move/plan.ts';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { type Actor, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { accessibilityFindings, hasBrowser, openPage, picture, signIn, startBrowser } from './support/browser.ts';
import { sql } from './support/database.ts';
import { addServer, moved, type OtherServer, registeredServer } from './support/moves.ts';

describeIf('moving a tenant in the console', hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let root: Actor;
  let browser: Browser;
  let page: Page;
  let other: OtherServer;
  let problems: string[];

  beforeAll(async () => {
    app = await startApp();
    root = await superAdmin(app);
    other = await registeredServer(app, 'other');
    browser = await startBrowser();
    ({ page, problems } = await openPage(browser, app));
    await signIn(page, app);
  });
  afterAll(async () => {
    await browser?.close();
    try {
      await app?.stop();
    } finally {
      await other?.remove();
    }
  });

  test('is seen as it goes, and is undone, and finished, in both languages', async () => {
    const tenant = await provision(root, { name: 'Kopi Kita', slug: 'kopi-kita' });
    await page.goto(`${app.url}/console/tenants/${tenant.id}`);
    const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Database server' }) });
    const move = async (server: string) => {
      await panel.getByRole('button', { name: 'Move', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('To the server').click();
      await page.getByRole('option', { name: server }).click();
      await dialog.getByRole('button', { name: 'Begin' }).click();
      await panel.getByText('Moved to other', { exact: false }).waitFor();
    };
    const answer = async (button: string) => {
      await panel.getByRole('button', { name: button }).click();
      await page.getByRole('dialog').getByRole('button', { name: button }).click();
    };
    await panel.getByText('On home').waitFor();
    await move('other');
    await panel.getByText('On other').waitFor();
    await panel.getByTestId('step-follow_back').getByText('Let the former database follow').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await picture(page, 'tenant-move');
    await answer('Move back');
    await panel.getByText('Was moved back to home').waitFor({ timeout: 30_000 });
    await panel.getByText('On home').waitFor();

    await move('other');
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByText('Bahasa Indonesia').click();
    await page.getByText('Bahasa Indonesia').waitFor({ state: 'hidden' });
    const panelId = page.locator('section', { has: page.getByRole('heading', { name: 'Server basis data' }) });
    await panelId.getByRole('button', { name: 'Hapus basis data lama' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Hapus basis data lama' }).click();
    await panelId.getByText('Dipindahkan dari home ke other').waitFor({ timeout: 30_000 });
    await moved(root, tenant, 'finished');
    expect(problems).toEqual([]);
  });

  test('whose other server is gone is abandoned with a reason, and what is left behind is named', async () => {
    const tenant = await provision(root, { name: 'Kopi Kami', slug: 'kopi-kami' });
    const gone = await addServer(app, 'gone', 'postgresql://omnistream@127.0.0.1:1/postgres');
    await sql(
      app.databaseUrl,
      `insert into tenant_moves (org_id, source_id, target_id, steps, progress, max_read_only_seconds, created_at)
       values ($1, $2, $3, $4, '{"tables": 0, "tablesCopied": 0, "bytes": 0, "bytesCopied": 0}', 20, now())`,
      [tenant.id, HOME_SERVER_ID, gone, JSON.stringify(firstSteps())],
    );
    // In English again.
    const { page } = await openPage(browser, app);
    await signIn(page, app);
    await page.goto(`${app.url}/console/tenants/${tenant.id}`);
    const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Database server' }) });
    await panel.getByRole('button', { name: 'Abandon the move' }).click({ timeout: 30_000 });
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The tenant stays on home', { exact: false }).waitFor();
    await dialog.getByLabel('Reason').fill('Its disks are gone');
    const confirm = dialog.getByLabel('Type kopi-kami to confirm');
    await confirm.fill('kopi');
    await dialog.getByRole('button', { name: 'Abandon the move' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await picture(page, 'tenant-move-abandon');
    await confirm.fill('kopi-kami');
    await dialog.getByRole('button', { name: 'Abandon the move' }).click();
    await panel.getByText('The move to gone was called off').waitFor({ timeout: 30_000 });
    await panel.getByText('gone: to be removed when it is back', { exact: false }).waitFor();
    await panel.getByRole('button', { name: 'Move', exact: true }).waitFor();
  });
});
