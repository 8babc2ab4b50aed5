/** `npm run tenants -- upgrade`, with no gateway beside it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { TENANT_SCHEMA_VERSION as newest } from '../src/db/migrations/tenant/index.ts';
import { tenantName } from '../src/db/tenant-names.ts';
import { ProgressLine } from '../src/progress-line.ts';
import { eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, runTenants, startTenants } from './support/gateway-process.ts';
import { CURE, makeOneOlder, POISON } from './support/older-version.ts';

let databaseUrl: string;
let code: string;
let tenants: Tenant[];
let env: Record<string, string>;
const urlOf = ({ id }: Tenant) => serverUrl(tenantName(code, id));
const versions = async () =>
  (await sql(databaseUrl, 'select schema_version as version from organizations order by id')).map(
    ({ version }) => version,
  );

beforeAll(async () => {
  ensureBuilt();
  databaseUrl = await createControlDatabase();
  env = { DATABASE_URL: databaseUrl, JWT_SECRET };
  const app = await startApp({}, databaseUrl);
  const root = await superAdmin(app);
  code = app.services.servers.home.code;
  tenants = [];
  for (let made = 0; made < 3; made++) tenants.push(await provision(root));
  await app.close();
});
beforeEach(() =>
  makeOneOlder(
    databaseUrl,
    tenants.map(({ id }) => id),
  ),
);
afterEach(() => sql(databaseUrl, 'delete from upgrade_runs'));
afterAll(async () => {
  await cleanUp();
  await dropControlDatabase(databaseUrl);
});

test('a plan and a dry run say what would be done, and do nothing', async () => {
  const plan = await runTenants(env, 'upgrade', '--plan', '--canary', '1');
  expect(plan.code).toBe(0);
  expect(plan.output).toContain(`3 tenants to be brought to schema version ${newest}, 4 at a time`);
  expect(plan.output).toContain(`  canary  ${tenants[0]!.slug}  from version ${newest - 1}`);
  expect(plan.output).toContain(`  wave 1  ${tenants[2]!.slug}  from version ${newest - 1}`);
  expect(plan.output).not.toContain('alter table');
  const dry = await runTenants(env, 'upgrade', '--dry-run');
  expect(dry.output).toMatch(
    new RegExp(`-- version ${newest}: Tenant0005Checksums, sha256 [0-9a-f]{64}\\nalter table`),
  );
  expect(await versions()).toEqual(tenants.map(() => newest - 1));
  expect(await sql(databaseUrl, 'select from upgrade_runs')).toEqual([]);
});

test('it upgrades by itself where no gateway runs, lists what it has set aside, and tries that again', async () => {
  const [, poisoned] = tenants as [Tenant, Tenant];
  await sql(urlOf(poisoned), POISON);
  const first = await runTenants(env, 'upgrade');
  expect(first.code).toBe(1);
  expect(first.output).toContain(`is finished: 2 of 3 tenants are at schema version ${newest}, 1 set aside`);
  expect(first.output).toContain(`  set aside: ${poisoned.slug}: Tenant0005Checksums: column "checksum"`);
  expect((await runTenants(env, 'upgrade', '--status')).code).toBe(1);
  await sql(urlOf(poisoned), CURE);
  const again = await runTenants(env, 'upgrade', '--retry', poisoned.slug);
  expect(again).toMatchObject({
    code: 0,
    output: expect.stringContaining(`3 of 3 tenants are at schema version ${newest}`),
  });
  expect(await runTenants(env, 'upgrade')).toMatchObject({
    code: 0,
    output: `All tenants are at schema version ${newest}.\n`,
  });
});

test('a canary is paused at; a second upgrade is refused; it is resumed, or called off', async () => {
  const canary = await runTenants(env, 'upgrade', '--canary', '1');
  expect(canary).toMatchObject({ code: 1, output: expect.stringContaining('The canary of 1 tenant is through') });
  const second = await runTenants(env, 'upgrade');
  expect(second).toMatchObject({
    code: 2,
    output: expect.stringMatching(/^The upgrade [0-9a-f-]{36} to schema version \d+ is paused/),
  });
  expect((await runTenants(env, 'upgrade', '--cancel')).output).toContain('is cancelled: 1 of 3 tenants');
  expect((await runTenants(env, 'upgrade', '--resume')).code).toBe(2);
});

test('Ctrl-C ends the command and not the upgrade, which says so and is taken up again', async () => {
  const holder = new pg.Client({ connectionString: urlOf(tenants[2]!) });
  await holder.connect();
  await holder.query('begin; lock table mikro_orm_migrations in access share mode');
  const watching = startTenants(env, 'upgrade', '--lock-timeout', '50');
  await eventually(versions, (all) => all.filter((version) => version === newest).length === 2, 30_000);
  watching.child.kill('SIGINT');
  const ended = await watching.ended;
  expect(ended.code).toBe(130);
  expect(ended.output).toContain('It goes on without this command: in the gateways that run, or when one starts.');
  await holder.end();
  const followed = await runTenants(env, 'upgrade', '--follow');
  expect(followed).toMatchObject({ code: 0, output: expect.stringContaining('3 of 3 tenants') });
});

test('what cannot be done is refused in words, and --help says how it is used', async () => {
  expect(await runTenants(env, 'upgrade', '--help')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^Use: /),
  });
  const refused: [args: string[], sentence: string][] = [
    [['upgrade', '--version', '99'], `must be ${newest - 1} or ${newest}`],
    [['upgrade', '--concurrency', '0'], '--concurrency must be at least 1.'],
    [['upgrade', '--canary', 'many'], '--canary must be a whole number.'],
    [['upgrade', '--pause', '--cancel'], 'One of --pause and --cancel.'],
    [['upgrade', '--now'], "Unknown option '--now'"],
    [['upgrade', '--retry', 'nobody'], 'There is no tenant nobody.'],
    [['upgrade', '--pause'], 'There was no upgrade yet.'],
    [['upgrades'], 'There is no command upgrades.'],
  ];
  for (const [args, sentence] of refused) {
    expect(await runTenants(env, ...args)).toMatchObject({ code: 2, output: expect.stringContaining(sentence) });
  }
  expect(await versions()).toEqual(tenants.map(() => newest - 1));
});

test('a terminal is shown a bar that is drawn anew, anything else a line now and then', () => {
  const stream = (isTTY: boolean) => {
    const written: string[] = [];
    return {
      written,
      out: { isTTY, columns: 60, write: (text: string) => written.push(text), cursorTo() {}, clearLine() {} } as never,
    };
  };
  const terminal = stream(true);
  const bar = new ProgressLine(terminal.out);
  bar.show({ done: 1, total: 4, text: 'one' });
  bar.show({ done: 4, total: 4, text: 'all' });
  bar.end();
  expect(terminal.written).toEqual([`[${'#'.repeat(6)}${'.'.repeat(18)}] one`, `[${'#'.repeat(24)}] all`, '']);
  const file = stream(false);
  const lines = new ProgressLine(file.out);
  for (const text of ['one', 'two', 'three']) lines.show({ done: 1, total: 4, text });
  lines.end();
  expect(file.written).toEqual(['one\n']);
});
