import { copyFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import {
  accessibilityFindings,
  hasBrowser,
  LOOKS,
  type Look,
  openPage,
  picture,
  signIn,
  signInCompany,
  startBrowser,
} from './support/browser.ts';
import { demoPlatform } from './support/demo.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';

const MOST_STOPS = 90;
/** Where the keyboard is: fields show it by their border, and what is hidden behind a label by that. */
const WHERE = `(() => {
  const at = document.activeElement;
  if (!at || at === document.body) return 'the end';
  const name = (at.getAttribute('aria-label') || at.textContent || at.id).trim().slice(0, 40);
  if (at.ownerSVGElement !== undefined) return 'svg ' + name;
  const isRinged = (element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  };
  const around = [at, at.closest('tr'), ...(at.tagName === 'A' ? [at.parentElement] : [])].filter(Boolean);
  return at.matches('input, [aria-haspopup]') || around.some(isRinged) ? name : 'unseen ' + name;
})()`;

describeIf('each screen of the console', hasBrowser, 'chromium is not on PATH', () => {
  let redis: RedisServer | undefined;
  let app: TestApp;
  let root: Actor;
  let browser: Browser;
  let tenants: Tenant[];

  beforeAll(async () => {
    redis = hasProgram('redis-server') ? await startRedis() : undefined;
    app = await startApp(redis ? { REDIS_URL: redis.url } : {});
    root = await superAdmin(app);
    tenants = await demoPlatform(app, root);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    await redis?.stop();
  });

  const SCREENS: Record<string, { path: () => string; heading: string; ready: (page: Page) => Promise<unknown> }> = {
    tenants: {
      path: () => '/tenants',
      heading: 'Tenants',
      ready: (page) => page.getByText('Surya Travel').first().waitFor(),
    },
    tenant: {
      path: () => `/tenants/${tenants[0]!.id}`,
      heading: 'Kopi Kita',
      ready: (page) => page.getByText('Activate').first().waitFor(),
    },
    usage: { path: () => '/usage', heading: 'Usage', ready: (page) => page.getByText('Kopi Kita').first().waitFor() },
    health: {
      path: () => '/health',
      heading: 'Health',
      ready: (page) => page.getByText('Control database').first().waitFor(),
    },
    audit: {
      path: () => '/audit',
      heading: 'Audit log',
      ready: (page) => page.getByRole('main').getByText('Kopi Kita').first().waitFor(),
    },
    upgrades: {
      path: () => '/upgrades',
      heading: 'Upgrades',
      ready: (page) => page.getByText(/^All tenants are at schema version/).waitFor(),
    },
    admins: {
      path: () => '/admins',
      heading: 'Super admins',
      ready: (page) => page.getByText('root@platform.test').first().waitFor(),
    },
  };

  /** Nothing is wider than the page. */
  const fits = async (page: Page) =>
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);

  async function look(page: Page, name: string, heading: string, ready: (page: Page) => Promise<unknown>) {
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await ready(page);
    await page.waitForTimeout(600);
    await picture(page, name);
    await fits(page);
    expect(await accessibilityFindings(page)).toEqual([]);
  }

  test.each(Object.keys(LOOKS) as Look[])('is readable, reachable and fits: %s', async (which) => {
    const { page, problems } = await openPage(browser, app, LOOKS[which]);
    await page.goto(`${app.url}/console`);
    await look(page, `sign-in-${which}`, 'Sign in to OmniStream', (at) => at.getByLabel('E-mail address').waitFor());
    await signIn(page, app);
    for (const [name, { path, heading, ready }] of Object.entries(SCREENS)) {
      await page.goto(`${app.url}/console${path()}`);
      await look(page, `${name}-${which}`, heading, ready);
    }
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test.each(Object.keys(LOOKS) as Look[])("so are a company's working hours: %s", async (which) => {
    const { adminEmail, adminPassword } = tenants[0]!;
    const ayu = await agent(app, adminEmail, adminPassword);
    await ayu.rest('PUT', '/api/settings/timezone', { timezone: 'Asia/Jakarta' });
    await ayu.rest('PUT', '/api/working-hours', {
      days: [1, 2, 3, 4, 5].flatMap((day) => [
        { day_of_week: day, start_time: '08:00', end_time: '12:00' },
        { day_of_week: day, start_time: '13:00', end_time: day === 5 ? '01:00' : '17:30' },
      ]),
    });
    const { page, problems } = await openPage(browser, app, LOOKS[which]);
    await signInCompany(page, app, tenants[0]!);
    await look(page, `working-hours-${which}`, 'Working hours', (at) =>
      at
        .getByText(/^(Open|Closed) now$/)
        .first()
        .waitFor(),
    );
    await page.getByRole('tab', { name: 'Special days' }).click();
    await look(page, `special-days-${which}`, 'Working hours', (at) =>
      at.getByRole('button', { name: 'New special day' }).first().waitFor(),
    );
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('names of any length leave everything else where it is: narrow', async () => {
    const name = 'Supercalifragilistic'.repeat(10);
    const limits = { max_agents: 1 };
    await provision(root, { name, slug: 's'.repeat(63), limits, admin_email: 'ayu@long.example' });
    await eventually(
      () => root.graphql('{ usageStandings(metric: AGENTS, minRatio: 1) { tenant { name } } }'),
      ({ data }) => data.usageStandings.length > 0,
    );
    const { page } = await openPage(browser, app, LOOKS.narrow);
    await signIn(page, app);
    for (const path of ['/tenants', '/usage', '/audit']) {
      await page.goto(`${app.url}/console${path}`);
      await page.getByRole('main').getByText(name).first().waitFor();
      // Where it does not fit, nothing can be scrolled to it either: the screen cuts it off.
      const cutOff = await page.evaluate<string[]>(`[...document.querySelectorAll('main *')]
        .filter((at) => at.checkVisibility({ visibilityProperty: true }) && at.getBoundingClientRect().right > innerWidth)
        .map((at) => at.outerHTML.slice(0, 100))`);
      expect([path, cutOff]).toEqual([path, []]);
    }
    await page.context().close();
  });

  test('by the keyboard alone: Tab stops at what can be used, one sees where, and it comes to the end', async () => {
    const { page } = await openPage(browser, app);
    await signIn(page, app);
    for (const [name, { path, heading, ready }] of Object.entries(SCREENS)) {
      await page.goto(`${app.url}/console${path()}`);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await ready(page);
      await page.waitForTimeout(300);
      const stops: string[] = [];
      for (let stop = ''; stop !== 'the end' && stops.length < MOST_STOPS; stops.push(stop)) {
        await page.keyboard.press('Tab');
        stop = await page.evaluate<string>(WHERE);
      }
      const odd = stops.filter((stop) => stop.startsWith('unseen') || stop.startsWith('svg'));
      expect([name, odd]).toEqual([name, []]);
      // A log goes on below.
      if (name !== 'audit') expect([name, stops.at(-1)]).toEqual([name, 'the end']);
    }
    await page.context().close();
  });

  test('in Indonesian as well', async () => {
    const { page } = await openPage(browser, app);
    await signIn(page, app);
    await page.getByRole('button', { name: 'Language' }).click();
    await page.getByText('Bahasa Indonesia').click();
    expect(await page.evaluate('document.documentElement.lang')).toBe('id');
    await page.getByText('Bahasa Indonesia').waitFor({ state: 'hidden' });
    await page.getByText('Kopi Kita').first().waitFor();
    await page.waitForTimeout(300);
    await picture(page, 'tenants-indonesian');
    for (const { path } of Object.values(SCREENS)) {
      await page.goto(`${app.url}/console${path()}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      // A text that is missing shows its key.
      expect(
        await page
          .getByText(/^[a-z-]+(\.[a-zA-Z_]+)+$/)
          .filter({ hasNotText: /^(tenant|user|super_admin|session|agent)\./ })
          .allTextContents(),
      ).toEqual([]);
    }
    await page.context().close();
  });

  test("the README's picture is of the tenants' screen", async () => {
    if (!process.env.UPDATE_PICTURES) return;
    await copyFile('tests/artifacts/tenant-light.png', 'docs/images/console.png');
  });
});
