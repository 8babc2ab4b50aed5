import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { type Actor, active, anonymous, Actor as Caller, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { type Entrance, entranceTo, openEntrance } from './support/entrance.ts';
import { cleanUp, type GatewayProcess, startGateway } from './support/gateway-process.ts';
import { newAddress, send } from './support/http.ts';
import { took } from './support/many-tenants.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';
import { bearer, closeSockets, type Follower, follow, socketClient } from './support/sockets.ts';
import { eventsAfter, inTurn, metric } from './support/three-gateways.ts';

/** What a lost link has to be noticed within. */
const NOTICED_MS = 15_000;
/** Events come as soon meanwhile: by looking. */
const ABOUT_A_SECOND = 2000;
const REDIS_IS_AWAY = /Redis is away: [^"]+/g;

describeIf(
  'a worker and two gateways with Redis between them',
  hasProgram('redis-server'),
  'redis-server is not on PATH',
  () => {
    let databaseUrl: string;
    let redis: RedisServer;
    /** By which all reach Redis, and by which the second gateway reaches PostgreSQL. */
    let redisEntrance: Entrance;
    let entrance: Entrance;
    let worker: GatewayProcess;
    let gateways: GatewayProcess[];
    let all: GatewayProcess[];
    let admin: Actor;
    let tenant: string;
    let followers: Follower[];
    let told: number;

    beforeAll(async () => {
      ensureBuilt();
      databaseUrl = await createControlDatabase();
      redis = await startRedis();
      redisEntrance = await openEntrance(redis.port);
      const through = await entranceTo(databaseUrl);
      entrance = through.entrance;
      const env = {
        DATABASE_URL: databaseUrl,
        JWT_SECRET,
        REDIS_URL: `redis://127.0.0.1:${redisEntrance.port}`,
        RATE_LIMITS: 'export=6',
        LOG_LEVEL: 'info',
      };
      [worker, ...gateways] = (await Promise.all([
        startGateway({ ...env, ROLE: 'worker' }),
        startGateway({ ...env, ROLE: 'gateway' }),
        startGateway({ ...env, ROLE: 'gateway', DATABASE_URL: through.url }),
      ])) as [GatewayProcess, ...GatewayProcess[]];
      all = [worker, ...gateways];
      admin = await superAdmin(gateways[0]!);
      const { body } = await admin.rest('POST', '/api/super-admin/tenants', {
        name: 'Followed',
        slug: 'followed',
        admin_email: 'a@followed.test',
        admin_password: 'a password',
      });
      tenant = body.id;
      await active(admin, tenant);
      followers = gateways.map((gateway) =>
        follow(
          socketClient(gateway, bearer(admin)),
          'subscription { tenantChanged { sequence kind tenant { name } } }',
        ),
      );
      await Promise.all(followers.map((follower) => follower.until(1)));
      told = Math.max(...followers.map(({ events }) => events[0].sequence));
      await settled(1);
    });
    afterAll(async () => {
      closeSockets();
      await cleanUp();
      await Promise.all([entrance?.close(), redisEntrance?.close()]);
      await redis?.stop();
      await dropControlDatabase(databaseUrl);
    });

    /** Until every process says so of its link to Redis. @returns milliseconds. */
    async function settled(up: 0 | 1): Promise<number> {
      const start = performance.now();
      await eventually(
        () => Promise.all(all.map((one) => metric(one, 'event_link_up{link="redis"}'))),
        (links) => links.every((link) => link === up),
        NOTICED_MS,
      );
      return performance.now() - start;
    }

    let renamed = 0;
    /** Makes changes, each of which has to be told of before long. */
    async function changes(count: number): Promise<void> {
      for (let change = 0; change < count; change++) {
        const name = `Name ${++renamed}`;
        const start = performance.now();
        await admin.rest('PATCH', `/api/super-admin/tenants/${tenant}`, { name });
        await Promise.all(
          followers.map((follower) => follower.untilSeen((event) => event.tenant?.name === name, ABOUT_A_SECOND)),
        );
        expect(performance.now() - start).toBeLessThan(ABOUT_A_SECOND);
      }
    }

    /** All that was told so far is the log, once and in order. */
    async function nothingMissed(): Promise<void> {
      const log = (await eventsAfter(databaseUrl, 'tenant', told)).map(({ seq }) => seq);
      expect(log).toHaveLength(renamed);
      for (const { events } of followers) expect(events.slice(1).map(({ sequence }) => sequence)).toEqual(log);
    }

    const saidAway = (one: GatewayProcess) => one.output().match(REDIS_IS_AWAY)?.length ?? 0;

    test('Redis carries how far the event log has come, and nothing of what happened', async () => {
      const ear = await createClient({ url: redis.url })
        .on('error', () => {})
        .connect();
      const heard: string[] = [];
      await ear.pSubscribe('omnistream:*', (message) => heard.push(message));
      await changes(3);
      const log = (await eventsAfter(databaseUrl, 'tenant', told)).map(({ seq }) => String(seq));
      await eventually(
        async () => heard.length,
        (count) => count >= 3,
      );
      expect(log.every((seq) => heard.includes(seq))).toBe(true);
      for (const message of heard) expect(message).toMatch(/^\d+$/);
      // The gateways hear of it from there.
      const [channel] = await ear.pubSubChannels();
      expect((await ear.pubSubNumSub(channel!))[channel!]).toBe(2);
      ear.destroy();
    });

    test('requests to both gateways count together', async () => {
      const from = newAddress();
      const gateway = inTurn(gateways);
      const statuses: number[] = [];
      for (let request = 0; request < 9; request++) {
        statuses.push((await send(gateway().url, 'GET', '/api/activity-logs/export', { from })).status);
      }
      expect(statuses).toEqual([...Array(6).fill(401), 429, 429, 429]);
    });

    test('a Redis that is frozen is noticed and said once, events come as soon, and it heals by itself', async () => {
      const before = all.map(saidAway);
      process.kill(redis.pid, 'SIGSTOP');
      try {
        took('until a frozen Redis is noticed', await settled(0));
        for (const gateway of gateways) {
          expect((await anonymous(gateway).rest('GET', '/readyz')).body.notices).toEqual([
            expect.stringMatching(/^Redis is away: .+\.$/),
          ]);
        }
        await changes(3);
      } finally {
        process.kill(redis.pid, 'SIGCONT');
      }
      took('until a Redis that goes on is back', await settled(1));
      await changes(2);
      await nothingMissed();
      expect(all.map((one, index) => saidAway(one) - before[index]!)).toEqual([1, 1, 1]);
      for (const gateway of gateways) {
        expect((await anonymous(gateway).rest('GET', '/readyz')).body.notices).toEqual([]);
      }
    });

    test('connections to Redis that are cut without a word are noticed and made anew', async () => {
      const before = all.map(saidAway);
      redisEntrance.strand('');
      await eventually(
        async () => all.map((one, index) => saidAway(one) - before[index]!),
        (times) => times.every((time) => time === 1),
        NOTICED_MS,
      );
      await changes(2);
      took('until they are made anew', await settled(1));
      await changes(2);
      await nothingMissed();
    });

    test('so is the one to PostgreSQL: who is shut out meanwhile is out within about a second, and nothing is missed', async () => {
      const [here, there] = gateways as [GatewayProcess, GatewayProcess];
      const account = { email: 'second@platform.test', password: 'a password' };
      const { body } = await admin.rest('POST', '/api/super-admin/admins', { ...account, name: 'Second' });
      const second = new Caller(there.url, (await superAdmin(here, account)).token);
      const status = async () => (await second.rest('GET', '/api/super-admin/tenants')).status;
      expect(await status()).toBe(200);
      const before = there.output().length;
      entrance.strand('omnistream events');
      await admin.rest('DELETE', `/api/super-admin/admins/${body.id}`);
      const start = performance.now();
      await eventually(status, (code) => code === 401, 2 * ABOUT_A_SECOND);
      took('until a gateway whose event connection is dead shuts somebody out', performance.now() - start);
      await changes(2);
      await nothingMissed();
      const said = there.output().slice(before);
      expect(said.match(/the event log cannot be read/g)).toHaveLength(1);
      expect(said).toContain('the event log is read again');
      expect(await metric(there, 'event_link_up{link="postgres"}')).toBe(1);
    });

    test('without a worker to say so gateways find events by looking', async () => {
      await worker.end('SIGKILL');
      all = gateways;
      await changes(3);
      await nothingMissed();
      // Whoever looks without being told of anything asks one statement each time.
      await sleep(500);
      const [session] = await sql<{ query: string }>(
        databaseUrl,
        `select query from pg_stat_activity where application_name = 'omnistream events' and datname = current_database() limit 1`,
      );
      expect(session!.query).toContain('from events where seq >');
    });
  },
);
