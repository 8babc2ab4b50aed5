/** Debian's Chromium, driven by playwright-core. */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Tenant } from './actors.ts';
import { SUPER_ADMIN, type TestApp } from './app.ts';
import { hasProgram } from './available.ts';

export const hasBrowser = hasProgram('chromium');

export async function startBrowser(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const folder = (process.env.PATH ?? '').split(delimiter).find((path) => hasProgramIn(path)) ?? '/usr/bin';
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    // Without it Chromium refuses to run as root; the pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'],
  });
}

const hasProgramIn = (path: string) => createRequire(import.meta.url)('node:fs').existsSync(join(path, 'chromium'));

export type Look = 'light' | 'dark' | 'narrow';
export const LOOKS: Record<Look, BrowserContextOptions> = {
  light: { viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
  narrow: { viewport: { width: 380, height: 800 }, colorScheme: 'light' },
};

/** Problems of pages that nobody would otherwise see: thrown errors, and requests to anywhere else. */
export interface Watched {
  page: Page;
  problems: string[];
}

export async function openPage(browser: Browser, app: Pick<TestApp, 'url'>, options = LOOKS.light): Promise<Watched> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Asia/Jakarta', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(app.url) && !/^(data|blob):/.test(url)) problems.push(`asked elsewhere: ${url}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy/.test(message.text())) problems.push(message.text());
  });
  return { page, problems };
}

/** As a person does. */
export async function signIn(page: Page, app: Pick<TestApp, 'url'>, path = '/tenants'): Promise<void> {
  await page.goto(`${app.url}/console${path}`);
  await page.getByLabel('E-mail address').fill(SUPER_ADMIN.email);
  await page.getByLabel('Password', { exact: true }).fill(SUPER_ADMIN.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor({ state: 'attached' });
}

/** The same as the first admin of a tenant. */
export async function signInCompany(
  page: Page,
  app: Pick<TestApp, 'url'>,
  { adminEmail, adminPassword }: Pick<Tenant, 'adminEmail' | 'adminPassword'>,
): Promise<void> {
  await page.goto(`${app.url}/console`);
  await page.getByText('Company', { exact: true }).click();
  await page.getByLabel('E-mail address').fill(adminEmail);
  await page.getByLabel('Password', { exact: true }).fill(adminPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor({ state: 'attached' });
}

interface Finding {
  id: string;
  impact: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe-core finds that is serious or worse (WCAG 2.2 A and AA). */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  const findings = await page.evaluate<Finding[]>(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })
       .then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical'))`,
  );
  return findings.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n  ${nodes.map(({ html, failureSummary }) => `${html}\n  ${failureSummary}`).join('\n  ')}`,
  );
}

/** Where the pictures of a run are kept; not part of the repository. */
const ARTIFACTS = join(import.meta.dirname, '..', 'artifacts');

/** Takes a picture when nothing moves any more. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), animations: 'disabled' });
}
