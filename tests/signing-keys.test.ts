import { createSecretKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { rotateSigningKey, SigningKeys } from '../src/domain/signing-keys.ts';
import type { EventBus } from '../src/live/event-bus.ts';
import { Actor, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET, startApp, startTwoApps, type TestApp, type TwoApps } from './support/app.ts';
import { ensureBuilt } from './support/built.ts';
import { sql } from './support/database.ts';
import { runKeys } from './support/gateway-process.ts';
import { atOnce } from './support/many-tenants.ts';
import { admittedSocket, bearer, closeSockets } from './support/sockets.ts';
import { decode } from './support/tokens.ts';

let apps: TwoApps;
let here: TestApp;
let there: TestApp;
beforeAll(async () => {
  ensureBuilt();
  apps = await startTwoApps();
  ({ here, there } = apps);
});
afterAll(async () => {
  closeSockets();
  await apps?.stop();
});

const rotate = (options?: { now: boolean }) => rotateSigningKey(here.services.control, here.services.keys, options);
const taken = async (token: string) => {
  const answers = [here, there].map(({ url }) => new Actor(url, token).rest('GET', '/api/super-admin/admins'));
  return (await Promise.all(answers)).map(({ status }) => status);
};
const signedWith = async (app: TestApp, kid: string) =>
  eventually(
    () => superAdmin(app),
    ({ token }) => decode(token!).header.kid === kid,
  );

describe('a new signing key', () => {
  test('signs on every process before long; tokens of the former one live on', async () => {
    const former = await superAdmin(here);
    expect(decode(former.token!).header.kid).toBeUndefined();
    const { kid } = await rotate();
    const fresh = await Promise.all([signedWith(here, kid), signedWith(there, kid)]);
    for (const { token } of [former, ...fresh]) expect(await taken(token!)).toEqual([200, 200]);

    const again = await rotate();
    const newest = await signedWith(there, again.kid);
    for (const { token } of [former, ...fresh, newest]) expect(await taken(token!)).toEqual([200, 200]);
  });

  test('is announced before it signs, so that no process meets a token that it cannot know', async () => {
    const signedMeanwhile = async () => {
      const { kid, signsFrom } = await rotate();
      const { token } = await superAdmin(here);
      return { kid, token, inTime: Date.now() < Date.parse(signsFrom) };
    };
    // On a busy machine a sign-in may take longer than the announcement: such a one tells nothing.
    const { kid, token: early } = await eventually(signedMeanwhile, ({ inTime }) => inTime, 30_000);
    expect(decode(early!).header.kid).not.toBe(kid);
    const { token } = await signedWith(here, kid);
    expect(await taken(token!)).toEqual([200, 200]);
  });

  test('is in the audit log, and nobody can read it in the database', async () => {
    const { kid } = await rotate();
    const [row] = await sql<{ sealed_key: string }>(
      here.databaseUrl,
      'select sealed_key from signing_keys where kid = $1',
      [kid],
    );
    const sealed = Buffer.from(row!.sealed_key, 'base64');
    const secret = Buffer.from(here.services.keys.open(row!.sealed_key), 'base64');
    expect(secret).toHaveLength(32);
    expect(sealed.includes(secret)).toBe(false);
    const [entry] = await sql(here.databaseUrl, `select action, target_id from audit_entries where target_id = $1`, [
      kid,
    ]);
    expect(entry).toEqual({ action: 'signing_key.rotate', target_id: kid });
  });

  test('at once ends every token from before within a second, and the sockets that came by them', async () => {
    const { token } = await superAdmin(here);
    expect(await taken(token!)).toEqual([200, 200]);
    const socket = await admittedSocket(there, bearer({ token }));
    const { kid } = await rotate({ now: true });
    await atOnce(
      'until a token of the former key is refused everywhere',
      () => taken(token!),
      (statuses) => statuses.every((status) => status === 401),
    );
    expect((await socket.closed).code).toBe(4403);
    const fresh = await superAdmin(there);
    expect(decode(fresh.token!).header.kid).toBe(kid);
    expect(await taken(fresh.token!)).toEqual([200, 200]);
  });
});

test('a key that a starting process hears of before it has loaded the older ones still comes after them', async () => {
  const former = await rotate();
  const newest = await rotate({ now: true });
  const bus = { on: (_: string, hear: (event: object) => void) => hear({ payload: newest }) } as unknown as EventBus;
  const starting = new SigningKeys(here.services.keys);
  starting.follow(bus, here.services.log, () => {});
  await starting.load(here.services.control);
  expect(starting.current.kid).toBe(newest.kid);
  expect(starting.find(former.kid)).toBeUndefined();
});

test('whoever fails to take in an event keeps nobody else from hearing of it', async () => {
  const { bus } = here.services;
  const heard: string[] = [];
  const ends = [
    bus.on('signing_key', () => {
      throw new Error('a listener of the tests fails');
    }),
    bus.on('signing_key', ({ payload }) => heard.push(payload.kid)),
  ];
  const { kid } = await rotate();
  await eventually(
    async () => heard,
    (kids) => kids.includes(kid),
  );
  for (const end of ends) end();
});

describe('npm run keys', () => {
  const run = (...options: string[]) =>
    runKeys({ DATABASE_URL: here.databaseUrl, JWT_SECRET, LOG_LEVEL: 'silent' }, ...options);

  test('rotates while gateways run, and lists the keys; one that starts later knows them all', async () => {
    const before = await superAdmin(here);
    const { code, output } = await run('rotate');
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(/A new key signs in two seconds[\s\S]*derived from JWT_SECRET: /),
    ]);
    const [, kid] = /(\S+), signs from \S+: in use/.exec(output)!;
    const { token } = await signedWith(there, kid!);
    const later = await startApp({}, here.databaseUrl);
    try {
      for (const known of [before.token!, token!]) {
        expect((await new Actor(later.url, known).rest('GET', '/api/super-admin/admins')).status).toBe(200);
      }
      expect(decode((await superAdmin(later)).token!).header.kid).toBe(kid);
    } finally {
      await later.stop();
    }
  });

  test('does nothing with a command that it does not know', async () => {
    const { code, output } = await run('burn');
    expect([code, output]).toEqual([2, expect.stringContaining('Use: npm run keys')]);
  });
});

test('a token that names a key is held to that key', async () => {
  const { kid } = await rotate({ now: true });
  const { token } = await signedWith(here, kid);
  const { claims } = decode(token!);
  const forge = (header: object, key = here.services.keys.signing) =>
    jwt.sign(claims, key, { algorithm: 'HS256', header: { alg: 'HS256', ...header } });
  const made = createSecretKey(Buffer.from('a key that somebody made up, 32 b'));
  for (const forged of [
    forge({ kid }),
    forge({ kid }, made),
    forge({ kid: 'unknown' }),
    forge({ kid: '../../../dev/null' }, createSecretKey(Buffer.alloc(1))),
    forge({ kid: "' or 1=1 --" }),
    forge({ kid: '__proto__' }),
    forge({ kid: '' }),
    forge({ jwk: { kty: 'oct', k: made.export().toString('base64url') } }, made),
    forge({ jku: 'https://evil.example/keys' }, made),
    // Of the first key, which has ended.
    forge({}),
  ]) {
    expect(await taken(forged)).toEqual([401, 401]);
  }
});
