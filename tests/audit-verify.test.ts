import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { Keys } from '../src/db/keys.ts';
import { tenantName } from '../src/db/tenant-names.ts';
import { contentOf, digestOf } from '../src/domain/audit-digest.ts';
import { GATHER_MS } from '../src/jobs/usage-gatherer.ts';
import { type Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { allLinked, CONTROL, damaged, type Tables, TENANT, verdicts } from './support/chains.ts';
import { createControlDatabase, dropControlDatabase, serverUrl, sql } from './support/database.ts';
import { cleanUp, runAuditVerify } from './support/gateway-process.ts';

let databaseUrl: string;
let app: TestApp;
let code: string;
let tenants: Tenant[];
let acme: Tenant;
let admin: Actor;

const urlOf = (tenant: Tenant) => serverUrl(tenantName(code, tenant.id));
const divide = (by: Actor, name: string) => by.rest('POST', '/api/divisions', { name });

beforeAll(async () => {
  ensureBuilt();
  databaseUrl = await createControlDatabase();
  app = await startApp({}, databaseUrl);
  code = app.services.servers.home.code;
  const root = await superAdmin(app);
  tenants = await Promise.all(Array.from({ length: 3 }, () => provision(root)));
  [acme] = tenants as [Tenant];
});
afterAll(async () => {
  await cleanUp();
  await dropControlDatabase(databaseUrl);
});

const EACH = 15;

test('after many writers in several tenants every chain is whole', async () => {
  const people = await Promise.all(tenants.map((one) => agent(app, one.adminEmail, one.adminPassword)));
  await Promise.all(people.flatMap((by) => Array.from({ length: EACH }, (_, n) => divide(by, `Division ${n}`))));
  const found = await allLinked(databaseUrl);
  expect(Object.keys(found)).toEqual(['control plane', ...tenants.map(({ slug }) => `tenant ${slug}`).sort()]);
  for (const [name, { entries, head, broken }] of Object.entries(found)) {
    expect([name, broken, head?.seq]).toEqual([name, undefined, entries]);
    if (name !== 'control plane') expect(entries).toBe(EACH);
  }
});

test('what was written before there were digests is taken as it is then, and kept from then on', async () => {
  const id = uuidv7();
  const text = `insert into activity_log (id, actor_kind, action, before, after, created_at)
    values ('${id}', 'system', 'older.gateway', '{"b": [1.50, null], "a": {"d": "ö", "c": 1e3}}', '"text"', now())`;
  await sql(urlOf(acme), text);
  expect((await allLinked(databaseUrl))[`tenant ${acme.slug}`]).toMatchObject({ entries: EACH + 1, unlinked: 0 });
});

test('the gateway signs nothing that goes on from an end that was cut off', async () => {
  const [, other] = tenants as [Tenant, Tenant];
  await allLinked(databaseUrl);
  await sql(
    urlOf(other),
    `delete from activity_log where id in (select entry_id from activity_chain where seq > ${EACH - 2});
     delete from activity_chain where seq > ${EACH - 2}`,
  );
  const look = async () => (await verdicts(databaseUrl, { tenant: other.slug }))[`tenant ${other.slug}`]!;
  const cutOff = `the chain is cut off after entry ${EACH - 2}: ${EACH} are known to have been linked`;
  expect((await look()).broken).toMatchObject({ seq: EACH - 2, problem: cutOff });
  admin = await agent(app, other.adminEmail, other.adminPassword);
  for (const name of ['more', 'and more', 'and more than before']) await divide(admin, name);
  // Nor where what the control plane knows of it was removed as well.
  await sql(databaseUrl, 'delete from activity_heads where org_id = $1', [other.id]);
  await sleep(2 * GATHER_MS);
  const [{ linked } = { linked: 0 }] = await sql<{ linked: number }>(
    urlOf(other),
    'select count(*)::int as linked from activity_chain',
  );
  expect(linked).toBe(EACH - 2);
  expect(await look()).toMatchObject({ unlinked: 3 });
  // What an operator does who has put things right, by a backup for example: removes that end, and starts anew.
  await app.close();
  app = await startApp({}, databaseUrl);
  admin = await agent(app, other.adminEmail, other.adminPassword);
  await divide(admin, 'when all is well');
  expect((await allLinked(databaseUrl))[`tenant ${other.slug}`]).toMatchObject({ entries: EACH + 2, unlinked: 0 });
});

test('a number is held to its last digit', () => {
  const entry = { id: NEW, actorKind: 'system', action: 'test', createdAt: new Date().toISOString() };
  const digest = (before: string) => digestOf(contentOf({ ...entry, before })).toString('hex');
  expect(digest('{"a": 20}')).toBe(digestOf({ ...entry, before: { a: 20 } }).toString('hex'));
  expect(digest('{"a": 20.00000000000000000001}')).not.toBe(digest('{"a": 20}'));
});

const CONTENT = 'its content differs from what was written';
const LINK = expect.stringMatching(/^it does not fit its link/);
const SOME = expect.any(String);
const NEW = uuidv7();

/** What is done to the third entry's `id`, and what is then said of it. */
const damages: [what: string, damage: (t: Tables, id: string) => string, broken: object][] = [
  [
    'one byte of it is changed',
    ({ log }, id) => `update ${log} set action = action || 's' where id = '${id}'`,
    { action: SOME, problem: CONTENT },
  ],
  [
    'a byte deep in what changed is changed',
    ({ log }, id) => `update ${log} set after = coalesce(after, '{}') || '{"name": "Divisiom"}' where id = '${id}'`,
    { problem: CONTENT },
  ],
  [
    'its time is moved to before our era',
    ({ log }, id) =>
      `update ${log} set created_at = (to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') || '+00 BC')::timestamptz
        where id = '${id}'`,
    { time: SOME, problem: CONTENT },
  ],
  [
    'what it lacks becomes a null',
    ({ log }, id) => `update ${log} set before = 'null' where id = '${id}'`,
    { problem: CONTENT },
  ],
  [
    'its time is moved by a millisecond',
    ({ log }, id) => `update ${log} set created_at = created_at + interval '1 millisecond' where id = '${id}'`,
    { time: SOME, problem: CONTENT },
  ],
  [
    'it is changed, and its digest taken away',
    ({ log }, id) => `update ${log} set actor_email = 'a@b.c', digest = null where id = '${id}'`,
    { problem: LINK },
  ],
  [
    'it is removed',
    ({ log }, id) => `delete from ${log} where id = '${id}'`,
    { action: undefined, problem: 'it was removed' },
  ],
  [
    'a bit of its link is changed',
    ({ links }) => `update ${links} set hash = set_bit(hash, 7, 1 - get_bit(hash, 7)) where seq = 3`,
    { problem: LINK },
  ],
  [
    'it changes places with the next one',
    ({ links }) => `delete from ${links} where seq in (3, 4);
      insert into ${links} select 7 - seq, entry_id, (select hash from kept_${links} c where c.seq = 7 - k.seq)
        from kept_${links} k where seq in (3, 4)`,
    { id: SOME, action: SOME, time: SOME, problem: LINK },
  ],
  [
    'its link is removed',
    ({ links }) => `delete from ${links} where seq = 3`,
    { id: undefined, action: undefined, time: undefined, problem: 'its link was removed' },
  ],
  [
    'another is put before it, with a link',
    ({ log, links }) => `update ${links} set seq = -seq where seq >= 3; update ${links} set seq = 1 - seq where seq < 0;
      insert into ${log} (id, actor_kind, action, created_at) values ('${NEW}', 'system', 'made.up', now());
      insert into ${links} select 3, '${NEW}', hash from ${links} where seq = 4`,
    { id: NEW, action: 'made.up', time: SOME, problem: LINK },
  ],
];

describe('without a gateway', () => {
  beforeAll(async () => {
    await allLinked(databaseUrl);
    await app.close();
  });

  describe.each([
    ['the control plane', CONTROL],
    ['a tenant', TENANT],
  ] as const)('in the log of %s the entry is named when', (_, tables) => {
    const url = () => (tables === CONTROL ? databaseUrl : urlOf(acme));
    const name = () => (tables === CONTROL ? 'control plane' : `tenant ${acme.slug}`);
    const { log, links, unlinked } = tables;
    /** What is found of this chain; of the others, nothing. */
    const after = (damage: string, options: Parameters<typeof verdicts>[1] = {}) =>
      damaged(url(), tables, damage, async () => {
        const { [name()]: mine, ...others } = await verdicts(databaseUrl, options);
        for (const other of Object.values(others)) expect(other.broken).toBeUndefined();
        return mine!;
      });

    test.each(damages)('%s', async (_, damage, broken) => {
      const [entry] = await sql<{ id: string; action: string; time: Date }>(
        url(),
        `select l.id, action, created_at as time from ${log} l join ${links} c on c.entry_id = l.id where c.seq = 3`,
      );
      const { id, action, time } = entry!;
      const found = await after(damage(tables, id));
      expect(found.broken).toEqual({ seq: 3, id, action, time: time.toISOString(), ...broken });
    });

    const insert = (id: string, at: Date, asTheGateway = true) => {
      const createdAt = at.toISOString();
      const digest = digestOf({ id, actorKind: 'system', action: 'made.up', createdAt }).toString('hex');
      return `insert into ${log} (id, actor_kind, action, created_at, digest)
        values ('${id}', 'system', 'made.up', '${createdAt}', ${asTheGateway ? `'\\x${digest}'` : 'null'});`;
    };

    test('it is put in past the gateway', async () => {
      const past = `set session_replication_role = replica; ${insert(NEW, new Date())}`;
      const problem = expect.stringMatching(/^it was put in by hand, or its link was removed/);
      expect((await after(past)).broken).toEqual({ id: NEW, action: 'made.up', time: SOME, problem });
    });

    test('it is put in with an earlier time, even as the gateway would write it', async () => {
      const earlier = new Date(Date.now() - 2 * 60 * 60_000);
      const id = uuidv7({ msecs: earlier.getTime() });
      expect((await after(insert(id, earlier))).broken).toMatchObject({
        id,
        problem: expect.stringMatching(/^it was put in between/),
      });
      const stranger = '00000000-0000-4000-8000-000000000000';
      expect((await after(insert(stranger, new Date()))).broken).toMatchObject({
        id: stranger,
        problem: expect.stringMatching(/^it was put in by hand/),
      });
    });

    test('it is put in without a digest, long after gateways write them', async () => {
      const later = new Date(Date.now() + 48 * 60 * 60_000);
      const id = uuidv7({ msecs: later.getTime() });
      expect((await after(insert(id, later))).broken).toBeUndefined();
      expect((await after(insert(id, later, false))).broken).toMatchObject({
        id,
        problem: expect.stringContaining('lacks the digest'),
      });
    });

    test('it waits for its link, and is changed or removed meanwhile', async () => {
      const write = insert(NEW, new Date());
      const waiting = await after(write);
      expect([waiting.broken, waiting.unlinked, waiting.entries]).toEqual([undefined, 1, waiting.head!.seq + 1]);
      const changed = await after(`${write} update ${log} set address = '10.0.0.1' where id = '${NEW}'`);
      expect(changed.broken).toEqual({ id: NEW, action: 'made.up', time: SOME, problem: CONTENT });
      const removed = await after(`${write} delete from ${log} where id = '${NEW}'`);
      expect(removed.broken).toEqual({ id: NEW, time: SOME, problem: 'it was removed before it was linked' });
      expect((await sql(url(), `select from ${unlinked}`)).length).toBe(0);
    });

    test('the end is cut off after it', async () => {
      const { head } = (await verdicts(databaseUrl))[name()]!;
      const cut = `delete from ${log} where id = (select entry_id from ${links} where seq = ${head!.seq});
        delete from ${links} where seq = ${head!.seq}`;
      // The control plane's own end is kept by its operators.
      const options = tables === CONTROL ? { head: head! } : {};
      expect((await after(cut, options)).broken).toMatchObject({
        seq: head!.seq - 1,
        problem: `the chain is cut off after entry ${head!.seq - 1}: ${head!.seq} are known to have been linked`,
      });
      expect((await after('select', options)).broken).toBeUndefined();
    });
  });

  test('a chain that was made with another key is none', async () => {
    const forged = new Keys('a key that somebody made up').chain(Buffer.alloc(32), Buffer.alloc(32)).toString('hex');
    const { broken } = await damaged(
      databaseUrl,
      CONTROL,
      `update audit_chain set hash = '\\x${forged}'`,
      async () => (await verdicts(databaseUrl))['control plane']!,
    );
    expect(broken).toMatchObject({ seq: 1, problem: LINK });
  });

  describe('npm run audit:verify', () => {
    const env = () => ({ DATABASE_URL: databaseUrl, JWT_SECRET });

    test('prints a line for each chain, its end included, and ends with 0', async () => {
      const { code: exit, output } = await runAuditVerify(env());
      expect([exit, output]).toEqual([0, SOME]);
      const lines = output.trim().split('\n');
      expect(lines).toHaveLength(1 + tenants.length);
      expect(lines[0]).toMatch(/^control plane: \d+ entries, whole, head \d+:[0-9a-f]{64}$/);
      for (const { slug } of tenants)
        expect(output).toMatch(new RegExp(`^tenant ${slug}: \\d+ entries, whole, head`, 'm'));
      const [, head] = /head (\S+)$/.exec(lines[0]!)!;
      expect(await runAuditVerify(env(), '--head', head!)).toMatchObject({ code: 0 });
      expect(await runAuditVerify(env(), '--tenant', acme.slug)).toMatchObject({
        code: 0,
        output: expect.stringMatching(new RegExp(`^tenant ${acme.slug}: ${EACH + 1} entries, whole, .*\n$`)),
      });
    });

    test('names a changed entry, and ends with 1', async () => {
      const damage = `update activity_log set action = 'division.creatd'
        where id = (select entry_id from activity_chain where seq = 5)`;
      const { code: exit, output } = await damaged(urlOf(acme), TENANT, damage, () => runAuditVerify(env()));
      expect(exit).toBe(1);
      expect(output).toMatch(
        new RegExp(`^tenant ${acme.slug}: BROKEN: entry 5 [0-9a-f-]{36} division\\.creatd of \\S+Z: ${CONTENT}$`, 'm'),
      );
    });

    test.each([
      [
        'a wrong secret',
        () => ({ JWT_SECRET: 'another secret, which is as long as need be' }),
        [],
        /^JWT_SECRET .* is not the one/,
      ],
      ['no secret', () => ({ JWT_SECRET: '' }), [], /^JWT_SECRET is needed/],
      ['a tenant that is not there', () => ({}), ['--tenant', 'nobody'], /^There is no tenant nobody/],
      ['an end that is none', () => ({}), ['--head', '12'], /^12 is no end of a chain/],
      ['an option that is none', () => ({}), ['--all'], /Use: npm run audit:verify/],
      [
        'a server that is not there',
        () => ({ DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c' }),
        [],
        /^Could not look: connection refused/,
      ],
    ])('says so and ends with 2: %s', async (_, different, options, says) => {
      const dataDir = '/nowhere/at/all';
      const { code: exit, output } = await runAuditVerify({ ...env(), DATA_DIR: dataDir, ...different() }, ...options);
      expect([exit, output]).toEqual([2, expect.stringMatching(says)]);
    });
  });
});
