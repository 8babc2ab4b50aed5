/** The forms of the console as people type into them: key by key, and with Enter before anything was answered. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { type Actor, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, openPage, signIn, signInCompany, startBrowser } from './support/browser.ts';

describeIf('typing in the console', hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let root: Actor;
  let tenant: Tenant;
  let browser: Browser;
  let page: Page;
  let company: Page;
  let problems: (() => string[])[];

  beforeAll(async () => {
    app = await startApp();
    root = await superAdmin(app);
    tenant = await provision(root, { name: 'Warung Melati', slug: 'warung-melati' });
    browser = await startBrowser();
    const platform = await openPage(browser, app);
    const other = await openPage(browser, app);
    page = platform.page;
    company = other.page;
    problems = [() => platform.problems, () => other.problems];
    await Promise.all([signIn(page, app), signInCompany(company, app, tenant)]);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });

  const is = (field: Locator, value: string) =>
    eventually(
      () => field.inputValue(),
      (found) => found === value,
    );
  /** In the stead of what stands there, then Enter. */
  const enter = async (field: Locator, text: string) => {
    await field.press('ControlOrMeta+a');
    if (text) await field.pressSequentially(text);
    else await field.press('Delete');
    await field.press('Enter');
  };
  const openCreate = async () => {
    await page.goto(`${app.url}/console/tenants`);
    await page.getByRole('button', { name: 'Create tenant' }).first().click();
    return page.getByRole('dialog');
  };

  test('Enter takes what was typed: also once more, with a longer name before it, and nothing where nothing fits', async () => {
    const dialog = await openCreate();
    const country = dialog.getByRole('combobox', { name: 'Country' });
    await country.click();
    for (const [typed, chosen] of [
      ['indo', 'Indonesia'],
      ['indo', 'Indonesia'],
      ['Guinea', 'Guinea'],
      ['Guinea', 'Guinea'],
    ] as const) {
      await enter(country, typed);
      await is(country, chosen);
    }
    await country.press('Backspace');
    await country.pressSequentially('a');
    await country.press('Enter');
    await enter(country, 'nowhere');
    await dialog.getByLabel('Company name').focus();
    await is(country, 'Guinea');
    // Nor was the form sent.
    expect(await dialog.getByText('The company needs a name.').count()).toBe(0);
  });

  test('a choice that need not be made is taken away by emptying its text, unless another one is marked', async () => {
    const dialog = await openCreate();
    const country = dialog.getByRole('combobox', { name: 'Country' });
    await country.click();
    await enter(country, 'indo');
    await is(country, 'Indonesia');
    await country.press('ControlOrMeta+a');
    await country.press('Delete');
    // Nothing is marked until one walks through what is listed: from what was chosen.
    const marked = page.locator('[data-combobox-selected]');
    expect(await marked.count()).toBe(0);
    await country.press('ArrowDown');
    expect(await marked.allTextContents()).toEqual(['Iran']);
    await country.press('Enter');
    await is(country, 'Iran');
    await country.press('ControlOrMeta+a');
    await country.press('Delete');
    await country.press('Tab');
    await is(country, '');
    expect(await dialog.getByText('The company needs a name.').count()).toBe(0);
  });

  test('a time zone that is typed once more stays', async () => {
    await company.getByRole('button', { name: 'Change the time zone' }).click();
    const zone = company.getByRole('dialog').getByLabel('Time zone');
    await zone.click();
    for (const typed of ['makassar', 'Asia/Makassar']) {
      await enter(zone, typed);
      await is(zone, 'Asia/Makassar');
    }
    await zone.press('Backspace');
    await zone.pressSequentially('r');
    await zone.press('Enter');
    await is(zone, 'Asia/Makassar');
    // There has to be one.
    await enter(zone, '');
    await is(zone, 'Asia/Makassar');
    await company.keyboard.press('Escape');
  });

  test('of tenants that are looked for, none is taken before those that were asked for are there', async () => {
    const { id } = await provision(root, { name: 'Toko Anggrek', slug: 'toko-anggrek' });
    await page.goto(`${app.url}/console/audit`);
    const field = page.getByRole('combobox', { name: 'Tenant' });
    await field.click();
    await page.getByRole('option', { name: 'Warung Melati' }).waitFor();
    const held = Promise.withResolvers<void>();
    await page.route('**/graphql', async (route) => {
      if (/AuditFilterChoices.*[Aa]nggrek/s.test(route.request().postData() ?? '')) await held.promise;
      await route.continue();
    });
    await enter(field, 'anggrek');
    await page.getByText('Searching…').waitFor();
    expect(await page.getByRole('option').count()).toBe(0);
    await field.press('ArrowDown');
    await field.press('Enter');
    expect(new URL(page.url()).search).toBe('');
    held.resolve();
    /** When the answer is there. */
    const first = async (name: string) => {
      await field.and(page.locator('[aria-busy=false]')).waitFor();
      await page.locator('[data-combobox-selected]', { hasText: name }).waitFor();
    };
    await first('Toko Anggrek');
    await field.press('Enter');
    await page.waitForURL((url) => url.search.includes(id));
    await page.unroute('**/graphql');
    await is(field, 'Toko Anggrek');
    await field.press('ControlOrMeta+a');
    await field.pressSequentially('Toko Anggrek');
    await first('Toko Anggrek');
    await field.press('Enter');
    await is(field, 'Toko Anggrek');
    expect(new URL(page.url()).search).toContain(id);
    // Another one, which what is chosen does not stand before.
    await field.press('ControlOrMeta+a');
    await field.pressSequentially('melati');
    await first('Warung Melati');
    await field.press('Enter');
    await page.waitForURL((url) => url.search.includes(tenant.id));
    await is(field, 'Warung Melati');
    await enter(field, '');
    await page.waitForURL((url) => url.search === '');
  });

  test('a search that failed says so, and takes nothing', async () => {
    const field = page.getByRole('combobox', { name: 'Tenant' });
    await page.route('**/graphql', (route) =>
      route.request().postData()?.includes('AuditFilterChoices') ? route.abort() : route.continue(),
    );
    await field.click();
    await field.pressSequentially('toko');
    await page.getByText('The gateway cannot be reached at the moment.').waitFor();
    await field.press('Enter');
    expect(new URL(page.url()).search).toBe('');
    await page.unroute('**/graphql');
    await field.pressSequentially(' ang');
    await page.locator('[data-combobox-selected]', { hasText: 'Toko Anggrek' }).waitFor();
    await field.press('Enter');
    await page.waitForURL((url) => url.search !== '');
    expect(await page.getByText('The gateway cannot be reached at the moment.').count()).toBe(0);
  });

  test('a slug is made of the whole name, however fast it is entered, and says so where it cannot be made', async () => {
    const dialog = await openCreate();
    const name = dialog.getByLabel('Company name');
    await name.pressSequentially('Quick');
    await is(dialog.getByLabel('Slug'), 'quick');
    await page.route('**/graphql', (route) =>
      route.request().postData()?.includes('SuggestSlug') ? route.abort() : route.continue(),
    );
    await name.pressSequentially('ly Made');
    await name.press('Enter');
    await dialog.getByRole('alert').waitFor();
    await page.unroute('**/graphql');
    await name.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Quickly Made' }).waitFor();
    expect(await page.getByText('quickly-made', { exact: true }).count()).toBe(1);
  });

  test('a limit is saved as it was typed, or refused: a sign alone is no number, nor does it take the limit away', async () => {
    const dialog = await openCreate();
    const agents = dialog.getByLabel('Agents');
    await dialog.getByLabel('Company name').fill('Limited');
    await agents.pressSequentially('-');
    await agents.press('Enter');
    await dialog.getByText('Not a number.').waitFor();
    await agents.pressSequentially('5');
    await agents.press('Enter');
    await dialog.getByText('Must not be negative').waitFor();
    await enter(agents, '5');
    await page.getByRole('heading', { level: 1, name: 'Limited' }).waitFor();

    await page.getByRole('button', { name: 'Edit' }).click();
    await is(agents, '5');
    await enter(agents, '-');
    await dialog.getByText('Not a number.').waitFor();
    await agents.pressSequentially('7');
    await agents.press('Enter');
    await dialog.getByText('Must not be negative').waitFor();
    await enter(agents, '7');
    await page.getByText('The changes are saved.').waitFor();
    const { data } = await root.graphql(
      '{ tenants(filter: { search: "limited" }) { nodes { limits { maxAgents } } } }',
    );
    expect(data.tenants.nodes).toEqual([{ limits: { maxAgents: 7 } }]);
  });

  test('a day is typed to its end while the calendar is open, and the field has the focus after a pick', async () => {
    await company.goto(`${app.url}/console/working-hours?tab=exceptions`);
    await company.getByRole('button', { name: 'New special day' }).click();
    const dialog = company.getByRole('dialog');
    const from = dialog.getByLabel('From', { exact: true });
    const calendar = dialog.getByRole('button', { name: 'Pick a day: From' });
    await from.press('ControlOrMeta+a');
    await calendar.click();
    await company.keyboard.type('2030-12-24', { delay: 10 });
    expect(await from.inputValue()).toBe('2030-12-24');
    await calendar.click();
    await company.getByRole('button', { name: '26 December 2030' }).click();
    await is(from, '26 Dec 2030');
    const hasFocus = from.and(company.locator(':focus'));
    await hasFocus.waitFor();
    // The same day once more, in the stead of what cannot be read.
    await company.keyboard.type('nonsense');
    await calendar.click();
    await company.getByRole('button', { name: '26 December 2030' }).click();
    await is(from, '26 Dec 2030');
    await hasFocus.waitFor();
  });

  test('a view of the week that nobody knows, kept in the browser, is the usual one', async () => {
    await company.evaluate(`localStorage.setItem('omnistream.week-view', '"upside down"')`);
    await company.goto(`${app.url}/console/working-hours`);
    await company.getByTestId('week-layer').waitFor();
    expect(await company.getByRole('radio', { name: 'Calendar' }).isChecked()).toBe(true);
  });

  test('nothing was thrown in the pages', () => {
    expect(problems.flatMap((of) => of())).toEqual([]);
  });
});
