import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agent, provision, superAdmin } from './support/actors.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

/** What differs from one run to the next. */
const settled = (output: string) =>
  output
    .trim()
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<instant>');

const fenced = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code!);

test("the README's tour gives the output that the README shows", async () => {
  const readme = (await readFile('README.md', 'utf8')).replaceAll('admin@omnistream.local', SUPER_ADMIN.email);
  const [before, tour] = readme.split(/<!-- (?:end of )?tour -->/);
  const prelude = fenced(before!, 'sh')
    .at(-1)!
    .replace('http://127.0.0.1:4000', app.url)
    .replace('the password that npm start printed', SUPER_ADMIN.password);
  const steps = fenced(tour!, 'sh');
  const shown = fenced(tour!, 'json');
  expect(steps).toHaveLength(shown.length);

  const script = [prelude, ...steps].join('\necho ======\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script]);
  const [, ...printed] = stdout.split('======\n');
  expect(printed.map(settled)).toEqual(shown.map(settled));
});

test('every request that the page of working hours shows is taken', async () => {
  const tenant = await provision(await superAdmin(app));
  const { token } = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const page = (await readFile('docs/working-hours.md', 'utf8')).replaceAll('kopi-kita', tenant.slug);
  const requests = fenced(page, 'sh').filter((code) => code.startsWith('curl'));
  const folder = await mkdtemp(join(tmpdir(), 'omnistream-docs-'));
  try {
    await writeFile(
      join(folder, 'holidays.ics'),
      'BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20270101\nEND:VEVENT\nEND:VCALENDAR',
    );
    const status = `curl() { command curl -s -o /dev/null -w '%{http_code}\\n' "$@"; }`;
    const { stdout } = await promisify(execFile)('bash', ['-c', [status, ...requests].join('\n')], {
      cwd: folder,
      env: { ...process.env, URL: app.url, TOKEN: token },
    });
    expect(stdout.trim().split('\n')).toEqual(['200', '201', '201', '200', '200', '200']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
