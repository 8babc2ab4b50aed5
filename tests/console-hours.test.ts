/** The week of the console as people change it: with a mouse, and with the keyboard alone. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf } from './support/available.ts';
import { hasBrowser, LOOKS, openPage, signInCompany, startBrowser } from './support/browser.ts';

describeIf('the week in the console', hasBrowser, 'chromium is not on PATH', () => {
  let app: TestApp;
  let tenant: Tenant;
  let ayu: Actor;
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    app = await startApp();
    tenant = await provision(await superAdmin(app));
    ayu = await agent(app, tenant.adminEmail, tenant.adminPassword);
    browser = await startBrowser();
    // High enough for the whole day: nothing scrolls along.
    ({ page, problems } = await openPage(browser, app, { ...LOOKS.light, viewport: { width: 1280, height: 1300 } }));
    await signInCompany(page, app, tenant);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });
  beforeEach(async () => {
    await ayu.rest('PUT', '/api/working-hours', {
      days: [0, 1, 2, 3, 4, 5, 6].map((day) => ({
        day_of_week: day,
        start_time: '08:00',
        end_time: '17:00',
        is_active: day >= 1 && day <= 5,
      })),
    });
    await page.goto(`${app.url}/console/working-hours`);
    await block(1, '08:00', '17:00').waitFor();
  });

  const NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  /** A stretch by its day (0 is Sunday) and its times. */
  const block = (day: number, from: string, to: string) =>
    page.getByRole('button', { name: new RegExp(`^${NAMES[day]}, ${from}.${to}`) });
  /** Where a time of a day is on the screen, so many pixels further down. */
  async function place(day: number, time: string, down = 0): Promise<[x: number, y: number]> {
    const { x, y, width, height } = (await page.getByTestId('week-layer').boundingBox())!;
    const [hours, minutes] = time.split(':').map(Number) as [number, number];
    return [x + (((day + 6) % 7) + 0.5) * (width / 7), y + ((hours + minutes / 60) / 24) * height + down];
  }
  type Place = Parameters<typeof place>;
  async function press(from: Place, ...over: Place[]): Promise<void> {
    await page.mouse.move(...(await place(...from)));
    await page.mouse.down();
    for (const point of over) await page.mouse.move(...(await place(...point)), { steps: 4 });
  }
  async function drag(from: Place, ...over: Place[]): Promise<void> {
    await press(from, ...over);
    await page.mouse.up();
  }
  /** The hours in effect, as they are kept. */
  async function kept(): Promise<string[]> {
    const { body } = await ayu.rest('GET', '/api/working-hours');
    return (body as { day_of_week: number; start_time: string; end_time: string; is_active: boolean }[])
      .filter(({ is_active }) => is_active)
      .map((entry) => `${entry.day_of_week} ${entry.start_time.slice(0, 5)}-${entry.end_time.slice(0, 5)}`)
      .sort();
  }
  const save = async () => {
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('The hours were saved and count from now on.').waitFor();
  };
  const unchanged = () => expect(page.getByTestId('draft-bar').count()).resolves.toBe(0);

  test('by the mouse: edges are pulled, stretches are moved and drawn, also past midnight, and all of it is saved', async () => {
    await drag([1, '17:00', -3], [1, '18:30', -3]);
    await block(1, '08:00', '18:30').waitFor();
    await drag([2, '08:00', 3], [2, '09:15', 3]);
    await block(2, '09:15', '17:00').waitFor();
    await drag([3, '12:00'], [3, '13:00']);
    await block(3, '09:00', '18:00').waitFor();
    // To another day, in whose stead it comes.
    await drag([0, '10:00'], [0, '14:00']);
    await block(0, '10:00', '14:00').waitFor();
    await drag([5, '20:00'], [5, '22:00'], [6, '02:00']);
    await block(5, '20:00', '02:00').waitFor();
    await page.getByText('5 unsaved changes').waitFor();
    await save();
    expect(await kept()).toEqual(
      [
        '0 10:00-14:00',
        '1 08:00-18:30',
        '2 09:15-17:00',
        '3 09:00-18:00',
        '4 08:00-17:00',
        '5 08:00-17:00',
        '5 20:00-02:00',
      ].sort(),
    );
  });

  test('Escape takes back what the mouse is at, and letting go then changes nothing', async () => {
    for (const [from, to] of [
      [
        [1, '17:00', -3],
        [1, '20:00'],
      ],
      [
        [2, '12:00'],
        [4, '14:00'],
      ],
      [
        [6, '19:00'],
        [6, '22:00'],
      ],
    ] as [Place, Place][]) {
      await press(from, to);
      await page.keyboard.press('Escape');
      await page.mouse.up();
      await unchanged();
    }
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('what overlaps is said on both, and cannot be saved until it is mended', async () => {
    await drag([1, '18:00'], [1, '20:00']);
    await drag([1, '18:00', 3], [1, '16:00', 3]);
    await block(1, '16:00', '20:00').waitFor();
    for (const times of ['08:00.17:00', '16:00.20:00']) {
      await page.getByRole('button', { name: new RegExp(`^Monday, ${times}.*\\. Overlaps`) }).waitFor();
    }
    const button = page.getByRole('button', { name: 'Save', exact: true });
    expect(await button.isDisabled()).toBe(true);
    await drag([1, '16:00', 3], [1, '17:00', 3]);
    await block(1, '17:00', '20:00').waitFor();
    await save();
    expect((await kept()).filter((entry) => entry.startsWith('1'))).toEqual(['1 08:00-17:00', '1 17:00-20:00']);
  });

  test('by the keyboard alone: one walks to a stretch, changes it, adds one, removes it, and leaves what opened', async () => {
    const focused = () => page.evaluate<string>(`document.activeElement.getAttribute('aria-label') ?? ''`);
    for (let step = 0; step < 60 && !(await focused()).startsWith('Monday, '); step++) await page.keyboard.press('Tab');
    await page.keyboard.press('Shift+ArrowDown');
    await block(1, '08:00', '17:15').waitFor();
    await page.keyboard.press('ArrowUp');
    await block(1, '07:45', '17:00').waitFor();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await focused()).toMatch(/^Monday, 07:45/);
    await page.keyboard.press('Tab');
    expect(await focused()).toMatch(/^Tuesday, /);
    await page.keyboard.press('Delete');
    await block(2, '08:00', '17:00').waitFor({ state: 'detached' });
    // It stays on the day.
    expect(await focused()).toMatch(/Tuesday/);
    await page.keyboard.press('Enter');
    await block(2, '09:00', '17:00').waitFor();
    for (let step = 0; step < 60; step++) {
      if ((await page.evaluate('document.activeElement.textContent')) === 'Save') break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByText('The hours were saved and count from now on.').waitFor();
    expect((await kept()).filter((entry) => /^[12]/.test(entry))).toEqual(['1 07:45-17:00', '2 09:00-17:00']);
  });

  test('the tab that is looked at is in the address', async () => {
    await page.getByRole('tab', { name: 'Special days' }).click();
    await page.waitForURL('**/working-hours?tab=exceptions');
    await page.reload();
    await page.getByRole('tab', { name: 'Special days', selected: true }).waitFor();
    await page.getByRole('tab', { name: 'Weekly hours' }).click();
    await page.waitForURL('**/working-hours');
    await block(1, '08:00', '17:00').waitFor();
  });

  test('a day that cannot be read is said and stays to be mended: no other day is taken for it', async () => {
    await page.getByRole('tab', { name: 'Special days' }).click();
    await page.getByRole('button', { name: 'New special day' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Christmas Eve');
    const from = dialog.getByLabel('From', { exact: true });
    for (const typed of ['12/24/2030', '2030-02-30', '']) {
      await from.fill(typed);
      await from.press('Enter');
      await dialog.getByText('Not a day. Write it as', { exact: false }).waitFor();
      await dialog.getByRole('button', { name: 'Add', exact: true }).click();
      expect(await from.inputValue()).toBe(typed);
    }
    await from.fill('2030-12-24');
    await from.fill('nonsense');
    await dialog.getByRole('button', { name: 'Pick a day: From' }).click();
    await page.getByRole('button', { name: '24 December 2030' }).click();
    expect(await from.inputValue()).toBe('24 Dec 2030');
    await dialog.getByLabel('To', { exact: true }).fill('2030-12-23');
    await dialog.getByText('Must not lie before the first day').waitFor();
    await dialog.getByLabel('To', { exact: true }).fill('24 December 2030');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Christmas Eve was saved.').waitFor();
    const { body } = await ayu.rest('GET', '/api/working-hours/exceptions');
    expect(body).toMatchObject([{ name: 'Christmas Eve', start_date: '2030-12-24', end_date: '2030-12-24' }]);
  });

  test('a time zone is chosen by typing a part of it and Enter', async () => {
    await page.getByRole('button', { name: 'Change the time zone' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Time zone').click();
    await page.keyboard.type('makassar', { delay: 20 });
    await page.locator('[data-combobox-selected]', { hasText: 'Asia/Makassar' }).waitFor();
    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Use this time zone' }).click();
    await page.getByText('Asia/Makassar (UTC+08:00)').waitFor();
  });

  test('whoever signed in for a company is asked as such again', async () => {
    const again = await page.context().newPage();
    await again.goto(`${app.url}/console`);
    await again.evaluate('sessionStorage.setItem("omnistream.session", JSON.stringify({ ended: "expired" }))');
    await again.reload();
    await again.getByLabel('E-mail address').fill(tenant.adminEmail);
    await again.getByLabel('Password', { exact: true }).fill(tenant.adminPassword);
    await again.getByRole('button', { name: 'Sign in' }).click();
    await again.getByRole('heading', { level: 1, name: 'Working hours' }).waitFor();
    await again.close();
  });

  test('what a calendar has besides holidays is said in the language of the reader, and so is what is wrong with it', async () => {
    const other = await openPage(browser, app, { ...LOOKS.light, locale: 'id-ID' });
    await other.page.goto(`${app.url}/console`);
    await other.page.getByText('Perusahaan', { exact: true }).click();
    await other.page.getByLabel('Alamat email').fill(tenant.adminEmail);
    await other.page.getByLabel('Kata sandi', { exact: true }).fill(tenant.adminPassword);
    await other.page.getByRole('button', { name: 'Masuk' }).click();
    await other.page.getByRole('tab', { name: 'Hari khusus' }).click();
    await other.page.getByRole('button', { name: 'Impor hari libur' }).click();
    const dialog = other.page.getByRole('dialog');
    const choose = (...lines: string[]) =>
      dialog.locator('input[type=file]').setInputFiles({
        name: 'libur.ics',
        mimeType: 'text/calendar',
        buffer: Buffer.from(lines.join('\r\n')),
      });
    const year = new Date().getUTCFullYear() + 1;
    await choose(
      'BEGIN:VCALENDAR',
      ...['BEGIN:VEVENT', `DTSTART:${year}0518T090000Z`, 'SUMMARY:Rapat', 'END:VEVENT'],
      ...['BEGIN:VEVENT', 'DTSTART;VALUE=DATE:19700101', 'SUMMARY:Dulu', 'END:VEVENT'],
      ...['BEGIN:VEVENT', `DTSTART;VALUE=DATE:${year}0817`, 'SUMMARY:Kemerdekaan', 'END:VEVENT'],
      'END:VCALENDAR',
    );
    await dialog.getByText('2 acara dilewati').waitFor();
    await dialog.getByText('Rapat (baris 3): berjam tertentu, jadi bukan sehari penuh').waitFor();
    await dialog.getByText(/^1 sebelum 1 Januari \d{4} atau sesudah 31 Desember \d{4}$/).waitFor();
    await choose('BEGIN:VCALENDAR', 'nonsense');
    await dialog.getByText('baris 2: memuat baris yang bukan properti kalender', { exact: false }).waitFor();
    await choose('BEGIN:VCALENDAR', '\0');
    await dialog.getByText('Berkas ini tidak dapat dibaca.').waitFor();
    await other.page.context().close();
  });

  test('nothing was thrown in the page', () => {
    expect(problems).toEqual([]);
  });
});
