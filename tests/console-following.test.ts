/** A screen goes on with what changes, whatever becomes of the databases behind the gateway. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Actor, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, signIn, startBrowser } from './support/browser.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { type Entrance, entranceTo, openEntrance } from './support/entrance.ts';

describeIf('a console that is open', hasBrowser, 'chromium is not on PATH', () => {
  let databaseUrl: string;
  /** Between the gateway and PostgreSQL. */
  let database: Entrance;
  let throughUrl: string;
  let app: TestApp;
  /** Between the browser and the gateway. */
  let entrance: Entrance;
  let root: Actor;
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    databaseUrl = await createControlDatabase();
    ({ entrance: database, url: throughUrl } = await entranceTo(databaseUrl));
    app = await startApp({}, throughUrl);
    entrance = await openEntrance(portOf(app));
    root = await superAdmin(app);
    browser = await startBrowser();
    const through = { url: `http://127.0.0.1:${entrance.port}` };
    ({ page, problems } = await openPage(browser, through));
    await signIn(page, through);
  });
  afterAll(async () => {
    await browser?.close();
    await entrance?.close();
    await app?.stop();
    await database?.close();
    await dropControlDatabase(databaseUrl);
  });

  const portOf = ({ url }: TestApp) => Number(new URL(url).port);
  const rename = (id: string, name: string) => root.rest('PATCH', `/api/super-admin/tenants/${id}`, { name });
  const go = (place: string) =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place }).click();
  const told = (text: string) => page.getByRole('main').getByText(text).first().waitFor();

  test('on a screen that it opens while the database is away says that nothing is live, and follows once it is back', async () => {
    const { id } = await provision(root, { name: 'Before the outage' });
    await told('Before the outage');
    await database.close();
    try {
      await go('Audit log');
      await page.getByTestId('connection-lost').waitFor();
    } finally {
      await database.reopen();
    }
    await page.getByTestId('connection-lost').waitFor({ state: 'hidden' });
    await told('Before the outage');
    await rename(id, 'After the outage');
    await told('After the outage');
  });

  test('begins anew with a database that was set back to what it was', async () => {
    const { id } = await provision(root, { name: 'Set back' });
    await go('Tenants');
    await told('Set back');
    const [log] = await sql<{ newest: string }>(databaseUrl, 'select max(seq) as newest from events');
    for (let name = 1; name <= 10; name++) await rename(id, `Lost ${name}`);
    await told('Lost 10');
    await entrance.close();
    await page.getByTestId('connection-lost').waitFor();
    await app.stop();
    await sql(databaseUrl, 'delete from events where seq > $1', [log!.newest]);
    await sql(databaseUrl, `select setval('events_seq_seq', $1)`, [log!.newest]);
    await sql(databaseUrl, `update organizations set name = 'Set back' where id = $1`, [id]);
    app = await startApp({}, throughUrl);
    root = await superAdmin(app);
    await entrance.reopen(portOf(app));
    await told('Set back');
    await page.getByTestId('connection-lost').waitFor({ state: 'hidden' });
    await rename(id, 'Goes on');
    await told('Goes on');
    expect(problems).toEqual([]);
  });
});
