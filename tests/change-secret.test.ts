import { EventEmitter } from 'node:events';
import { chmod, chown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KeySet } from '../src/db/key-set.ts';
import { Keys } from '../src/db/keys.ts';
import { existingSecrets, type RootSecrets } from '../src/db/secrets.ts';
import { SecretWatch } from '../src/domain/secret-watch.ts';
import { rotateSigningKey, SigningKeys } from '../src/domain/signing-keys.ts';
import type { EventBus } from '../src/live/event-bus.ts';
import { Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { anotherServer } from './support/another-server.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import {
  cleanUp,
  type Ended,
  type GatewayProcess,
  runAuditVerify,
  runBackup,
  runGateway,
  runKeys,
  runRestore,
  runTenants,
  startGateway,
  startKeys,
  temporaryFolder,
} from './support/gateway-process.ts';

const NEXT = 'the secret that the tests change to, which is long enough';
const OTHER = 'a secret that no installation of the tests has ever had';
const BOTH = { JWT_SECRET: NEXT, JWT_SECRET_FORMER: JWT_SECRET };

let databaseUrl: string;
let here: TestApp;
let there: TestApp;
/** Has been told nothing of the new secret. */
let unaware: GatewayProcess;
let tenant: Tenant;
let backup: string;
/** With the archive of a tenant that was archived before the change. */
let dataDir: string;
/** Of the time before the change: signed with the key that is derived from the secret, and with a drawn one. */
let derived: string;
let drawn: string;

beforeAll(async () => {
  ensureBuilt();
  databaseUrl = await createControlDatabase();
  // As an installation comes up that knows of no other secret.
  const first = await startApp({}, databaseUrl);
  const admin = await superAdmin(first);
  derived = admin.token!;
  const [one, archived] = await Promise.all([provision(admin), provision(admin)]);
  tenant = one;
  await admin.rest('DELETE', `/api/super-admin/tenants/${archived.id}`);
  await first.stop();
  dataDir = await temporaryFolder();
  const archive = await runTenants({ ...env(), JWT_SECRET }, 'archive', archived.slug, '--yes');
  expect(archive).toMatchObject({ code: 0 });
  [here, there] = await Promise.all([startApp(BOTH, databaseUrl), startApp(BOTH, databaseUrl)]);
  unaware = await startGateway({ DATABASE_URL: databaseUrl, JWT_SECRET });
  await rotateSigningKey(here.services.control, here.services.keys);
  ({ token: drawn } = (await eventually(
    () => superAdmin(here),
    ({ token }) => token!.split('.')[0] !== derived.split('.')[0],
  )) as { token: string });
  backup = await backUp({ ...env(), ...BOTH });
});
afterAll(async () => {
  await cleanUp();
  await Promise.all([here?.stop(), there?.stop()]);
  await dropControlDatabase(databaseUrl);
});

const env = () => ({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir, DATA_DIR_SHARED: 'true' });

/** @returns the folder of the backup. */
async function backUp(settings: Record<string, string>, ...options: string[]): Promise<string> {
  const out = await temporaryFolder();
  expect(await runBackup(settings, '--out', out, ...options)).toMatchObject({ code: 0 });
  return join(out, (await readdir(out))[0]!);
}

const taken = async (token: string) =>
  Promise.all(
    [here, there].map(async ({ url }) => (await new Actor(url, token).rest('GET', '/api/super-admin/admins')).status),
  );

/** Everything that is sealed, wherever it is: by the names of the columns, not by what the change knows of them. */
async function sealedValues(url = databaseUrl): Promise<string[]> {
  const columns = await sql<{ text: string }>(
    url,
    `select format('select %I as value from %I where %I is not null', column_name, table_name, column_name) as text
       from information_schema.columns where table_schema = 'public' and column_name like 'sealed%'`,
  );
  expect(columns.length).toBeGreaterThanOrEqual(6);
  const inEvents = `select payload->>'sealedKey' as value from events where payload ? 'sealedKey'`;
  const all = [...columns.map(({ text }) => text), inEvents].join(' union all ');
  const values = (await sql<{ value: string }>(url, all)).map(({ value }) => value);
  expect(values.length).toBeGreaterThan(0);
  return values;
}

/** How many of them the secret opens by itself. */
const openedBy = (secret: string, values: string[]) =>
  values.filter((value) => KeySet.of(secret).tryOpen(value) !== undefined).length;

/** This secret opens by itself all that is sealed, and the other one nothing. */
async function expectSealedBy(secret: string, other: string, url = databaseUrl): Promise<void> {
  const values = await sealedValues(url);
  expect([openedBy(other, values), openedBy(secret, values)]).toEqual([0, values.length]);
}

const generations = (url = databaseUrl) => sql(url, 'select * from key_generations order by number');
const verify = (secrets: Record<string, string>, url = databaseUrl) =>
  runAuditVerify({ DATABASE_URL: url, ...secrets });

/** What goes by keys in a process that hears of events when the tests tell it, and reads of its secrets what they say. */
async function lateProcess() {
  const { control, log } = here.services;
  const [keys, events, lockedOut] = [new Keys(JWT_SECRET), new EventEmitter(), Promise.withResolvers<string>()];
  const signing = new SigningKeys(keys);
  const bus = events as unknown as EventBus;
  signing.follow(bus, log, () => {});
  const late = {
    signing,
    lockedOut: lockedOut.promise,
    read: async (): Promise<RootSecrets> => ({ secret: JWT_SECRET }),
    hears: (topic: string, payload: object) => events.emit(topic, { payload }),
    stop: () => watch.stop(),
  };
  const secretsNow = () => late.read();
  const options = { keys, signing, control, log, secretsNow, lockedOut: lockedOut.resolve, changed: () => {} };
  const watch = new SecretWatch(options);
  await watch.start(bus);
  return late;
}

describe('before the change', () => {
  test('processes that have both secrets go by the former one', async () => {
    expect(await taken(derived)).toEqual([200, 200]);
    await expectSealedBy(JWT_SECRET, NEXT);
  });

  test.each([
    [
      'a former secret that is wrong',
      { JWT_SECRET: NEXT, JWT_SECRET_FORMER: OTHER },
      /is not the one .* nor is JWT_SECRET_FORMER/,
    ],
    ['no former secret', { JWT_SECRET: NEXT }, /is not the one that this installation uses\. Give it the one in use/],
    [
      'a new secret that is the one in use already',
      { JWT_SECRET, JWT_SECRET_FORMER: OTHER },
      /JWT_SECRET_FORMER is none that was in use before/,
    ],
    ['no new secret', { JWT_SECRET }, /JWT_SECRET is the one in use\. To change it/],
  ])('%s changes nothing, and says why', async (_, secrets, says) => {
    const [rows, values] = [await generations(), await sealedValues()];
    const { code, output } = await runKeys({ DATABASE_URL: databaseUrl, ...secrets }, 'change-secret');
    expect([code, output]).toEqual([2, expect.stringMatching(says)]);
    expect([await generations(), await sealedValues()]).toEqual([rows, values]);
  });

  test('a gateway with a secret that is not in use says so and does not start', async () => {
    const { code, output } = await runGateway({ DATABASE_URL: databaseUrl, JWT_SECRET: OTHER, PORT: '0' });
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/^\s*JWT_SECRET .* is not the one that this installation uses/),
    ]);
    expect(output).not.toContain('    at ');
  });
});

describe('the change, while gateways work', () => {
  let ended: Ended;
  let heldUp: Awaited<ReturnType<typeof lateProcess>>;
  let blind: Awaited<ReturnType<typeof lateProcess>>;
  /** Pairs of requests with one Idempotency-Key, sent to both gateways at once, all through it. */
  const pairs: { key: string; ids: string[] }[] = [];
  const roleBy = (app: TestApp, me: Actor, key: string) =>
    new Actor(app.url, me.token).rest(
      'POST',
      '/api/roles',
      { name: key, permissions: ['logs.view'] },
      { 'idempotency-key': key },
    );

  beforeAll(async () => {
    [heldUp, blind] = [await lateProcess(), await lateProcess()];
    const me = await agent(here, tenant.adminEmail, tenant.adminPassword);
    const change = startKeys({ DATABASE_URL: databaseUrl, ...BOTH }, ['change-secret']);
    let isOver = false;
    void change.ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const key = `role-${pairs.length}`;
      const answers = await Promise.all([here, there].map((app) => roleBy(app, me, key)));
      pairs.push({ key, ids: answers.map(({ status, body }) => (status === 201 ? body.id : `${status}`)) });
    }
    ended = await change.ended;
    blind.read = () => Promise.reject(new Error('EACCES: permission denied'));
    blind.hears('root_secret', { generation: 2 });
    // Later than the change, and with its keys.
    for (const { key, ids } of pairs) ids.push((await roleBy(here, me, key)).body.id);
  });
  afterAll(() => {
    heldUp?.stop();
    blind?.stop();
  });

  test('is told step by step, and ends well', () => {
    expect(ended.output).toMatch(
      /^Announced: [\s\S]*^\d+ values of the control database are sealed anew\.$[\s\S]*JWT_SECRET is changed/m,
    );
    expect(ended.code).toBe(0);
  });

  test('no request that is repeated with its Idempotency-Key is done twice', () => {
    expect(pairs.length).toBeGreaterThan(3);
    for (const { key, ids } of pairs)
      expect([key, new Set(ids).size, ids[0]]).toEqual([key, 1, expect.stringMatching(/-/)]);
  });

  test('the former secret opens nothing that is in the control database, the new one everything', async () => {
    expect((await sealedValues()).length).toBeGreaterThan(4);
    await expectSealedBy(NEXT, JWT_SECRET);
  });

  test('tokens of the derived key are dead everywhere, those of a drawn key live on', async () => {
    expect(await taken(derived)).toEqual([401, 401]);
    expect(await taken(drawn)).toEqual([200, 200]);
  });

  test('a gateway that has not been given the new secret says so and ends', async () => {
    const { code, output } = await unaware.end('SIGCONT');
    expect([code, output]).toEqual([1, expect.stringMatching(/JWT_SECRET .* is not the one .*: it was changed at/)]);
  });

  test('one that cannot read what its new secret is does not go on with the former one', async () => {
    expect(await blind.lockedOut).toMatch(/JWT_SECRET was changed, and .* cannot read the new one: EACCES/);
  });

  test('one that hears of a signing key before it knows the secret takes it in with that', async () => {
    const row = await rotateSigningKey(here.services.control, here.services.keys);
    heldUp.hears('signing_key', row);
    expect(heldUp.signing.find(row.kid)).toBeUndefined();
    heldUp.read = async () => ({ secret: NEXT, former: JWT_SECRET });
    heldUp.hears('root_secret', { generation: 2 });
    await eventually(
      async () => heldUp.signing.find(row.kid),
      (key) => key !== undefined,
    );
  });

  test('one that is started with the new secret alone reaches the tenants; with the former one none starts', async () => {
    const later = await startApp({ JWT_SECRET: NEXT }, databaseUrl);
    try {
      const me = await agent(later, tenant.adminEmail, tenant.adminPassword);
      expect((await me.rest('GET', '/api/working-hours')).status).toBe(200);
      expect((await provision(await superAdmin(later))).id).toEqual(expect.any(String));
    } finally {
      await later.stop();
    }
    const { code, output } = await runGateway({ DATABASE_URL: databaseUrl, JWT_SECRET, PORT: '0' });
    expect([code, output]).toEqual([1, expect.stringMatching(/is not the one .*: it was changed at/)]);
  });

  test('the audit logs are whole across it, the change is in them', async () => {
    const { code, output } = await verify({ JWT_SECRET: NEXT });
    expect([code, output]).toEqual([0, expect.stringMatching(/^control plane: \d+ entries, whole/)]);
    const [entry] = await sql<{ after: object }>(
      databaseUrl,
      `select after from audit_entries where action = 'platform.change_secret'`,
    );
    expect(entry!.after).toEqual({ keys: KeySet.of(NEXT).id, usedFrom: expect.any(String) });
  });

  test('a link that is made with the former key later on is named', async () => {
    // As if the change had been two hours earlier than those links.
    const shift = (sign: string) =>
      sql(databaseUrl, `update key_generations set used_from = used_from ${sign} interval '2 hours' where number = 2`);
    await shift('-');
    try {
      const { code, output } = await verify({ JWT_SECRET: NEXT });
      expect([code, output]).toEqual([
        1,
        expect.stringMatching(/^control plane: BROKEN: .*a key that had been replaced at/),
      ]);
    } finally {
      await shift('+');
    }
  });

  test('a second run finds it done, and the former secret cannot come back', async () => {
    const again = await runKeys({ DATABASE_URL: databaseUrl, ...BOTH }, 'change-secret');
    expect(again).toMatchObject({ code: 0, output: expect.stringMatching(/^0 values[\s\S]*was changed already, at/) });
    expect(again.output).not.toContain('is changed');
    const back = { JWT_SECRET, JWT_SECRET_FORMER: NEXT };
    const { code, output } = await runKeys({ DATABASE_URL: databaseUrl, ...back }, 'change-secret');
    expect([code, output]).toEqual([2, expect.stringContaining('has been in use before')]);
    expect(await generations()).toHaveLength(2);
  });
});

test('a backup of after the change is opened by the new secret alone, archives of before included', async () => {
  const folder = await backUp({ ...env(), JWT_SECRET: NEXT });
  const nowhere = 'postgres://a:b@127.0.0.1:1/c';
  const { code, output } = await runBackup({ DATABASE_URL: nowhere, JWT_SECRET: NEXT }, 'verify', folder);
  expect([code, output.match(/: whole: /g)?.length]).toEqual([0, 4]);
});

describe('backups of before the change', () => {
  const restore = (url: string, secrets: Record<string, string>, ...options: string[]) =>
    runRestore({ DATABASE_URL: url, ...secrets }, backup, ...options, '--yes');

  test('a tenant is restored where it was without the former secret, which the installation knows the keys of', async () => {
    const { code, output } = await restore(databaseUrl, { JWT_SECRET: NEXT }, '--tenant', tenant.slug);
    expect([code, output]).toEqual([0, expect.stringContaining(`tenant ${tenant.slug}: restored`)]);
    await expectSealedBy(NEXT, JWT_SECRET);
  });

  describe('on a new machine', () => {
    let trial: Awaited<ReturnType<typeof anotherServer>>;
    beforeAll(async () => {
      trial = await anotherServer();
    });
    afterAll(() => trial?.remove());

    test('are refused without the former secret, saying so; with it all is sealed with the new one', async () => {
      const refused = await restore(trial.url, { JWT_SECRET: NEXT });
      expect(refused).toMatchObject({
        code: 2,
        output: expect.stringContaining('JWT_SECRET_FORMER set to the JWT_SECRET of then'),
      });
      expect(await sql(trial.url, `select to_regclass('installation') as there`)).toEqual([{ there: null }]);

      const { code, output } = await restore(trial.url, BOTH);
      expect([code, output]).toEqual([0, expect.stringContaining('It was backed up under another secret')]);
      await expectSealedBy(NEXT, JWT_SECRET, trial.url);
      expect(await verify({ JWT_SECRET: NEXT }, trial.url)).toMatchObject({ code: 0 });
    });
  });
});

describe('a change that is killed', () => {
  let folder: string;
  let url: string;
  let gateway: GatewayProcess;
  let company: Tenant;
  /** A backup of the control plane. */
  let ofBefore: string;
  beforeAll(async () => {
    [url, folder] = [await createControlDatabase(), await temporaryFolder()];
    // Its secret is drawn and kept in secrets.json.
    gateway = await startGateway({ DATABASE_URL: url, DATA_DIR: folder });
    company = await provision(await superAdmin(gateway));
    ofBefore = await backUp(its(), '--control');
  });
  afterAll(async () => {
    await gateway?.end('SIGTERM');
    await dropControlDatabase(url);
  });
  const its = () => ({ DATABASE_URL: url, DATA_DIR: folder });

  test.each([
    ['when the new secret is in secrets.json', 'A new secret is in'],
    ['when it is announced', 'Announced'],
  ])('%s leaves gateways at work, and the next one brings it to its end', async (_, line) => {
    const { jwtSecret: former } = (await existingSecrets(folder))!;
    // As whoever runs the command mostly is not: the gateway's user, who is to read the new one.
    await chmod(file(), 0o640);
    if (process.getuid!() === 0) await chown(file(), 12_345, 12_345);
    const owned = await ownerOf();
    const { token } = await superAdmin(gateway);
    const killed = startKeys(its(), ['change-secret'], () => {
      if (killed.output().includes(line)) killed.child.kill('SIGKILL');
    });
    expect((await killed.ended).signal).toBe('SIGKILL');
    expect(await runKeys(its(), 'change-secret')).toMatchObject({ code: 0 });

    const { jwtSecret, formerJwtSecret } = (await existingSecrets(folder))!;
    expect(formerJwtSecret).toBe(former);
    expect(await ownerOf()).toEqual(owned);
    await expectSealedBy(jwtSecret, former, url);
    // The gateway that ran all the while has read the file again.
    const me = new Actor(gateway.url, token);
    expect((await me.rest('GET', '/api/super-admin/admins')).status).toBe(401);
    expect((await (await superAdmin(gateway)).rest('GET', '/api/super-admin/tenants')).status).toBe(200);
    expect(await runAuditVerify(its())).toMatchObject({ code: 0 });
    await addToLog();
  });

  const file = () => join(folder, 'secrets.json');
  async function ownerOf() {
    const { uid, gid, mode } = await stat(file());
    return { uid, gid, mode };
  }

  /** An entry in the tenant's log, and its link. */
  async function addToLog(): Promise<void> {
    const linked = async () => {
      const [head] = await sql<{ seq: number }>(url, 'select coalesce(max(seq), 0)::int as seq from activity_heads');
      return head!.seq;
    };
    const before = await linked();
    const ayu = await agent(gateway, company.adminEmail, company.adminPassword);
    await ayu.rest('POST', '/api/roles', { name: `After ${before}`, permissions: ['logs.view'] });
    await eventually(linked, (seq) => seq > before, 30_000);
  }

  test('a control plane of two secrets ago is restored under the one in use, and knows the keys in between', async () => {
    await gateway.end('SIGTERM');
    const usedFrom = async () => (await generations(url)).map((row) => row.used_from);
    const before = await usedFrom();
    expect(await runRestore(its(), ofBefore, '--yes')).toMatchObject({ code: 0 });
    expect(before).toHaveLength(3);
    // A key that was replaced before the restore is good for nothing that is of after.
    expect(await usedFrom()).toEqual(before);
    const [values, { jwtSecret }] = [await sealedValues(url), (await existingSecrets(folder))!];
    expect(openedBy(jwtSecret, values)).toBe(values.length);
    expect(await runAuditVerify(its())).toMatchObject({ code: 0, output: expect.stringMatching(/^tenant .* whole/m) });
  });
});
