import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { type RedisServer, startRedis } from './support/redis-server.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

describeIf('health is told as it changes', hasProgram('redis-server'), 'no redis-server', () => {
  let redis: RedisServer;
  let app: TestApp;
  let root: Actor;

  beforeAll(async () => {
    redis = await startRedis();
    app = await startApp({ REDIS_URL: redis.url });
    root = await superAdmin(app);
  });
  afterAll(async () => {
    closeSockets();
    await app?.stop();
    await redis?.stop();
  });

  const HEALTH = `subscription ($after: Sequence) {
    systemHealthChanged(after: $after) { sequence kind health { status infrastructure { redis { status error since } } } }
  }`;

  test('a component that goes away and comes back, with since when; whoever was away is told both', async () => {
    const follower = follow(socketClient(app, bearer(root)), HEALTH);
    const [first] = await follower.until(1);
    expect(first).toMatchObject({
      kind: 'SNAPSHOT',
      health: { status: 'OK', infrastructure: { redis: { status: 'UP' } } },
    });

    const stoppedAt = Date.now();
    await redis.stop();
    const down = await follower.untilSeen(({ health }) => health.infrastructure.redis.status === 'DOWN');
    expect(down.health).toMatchObject({
      status: 'DEGRADED',
      infrastructure: { redis: { error: expect.any(String), since: expect.any(String) } },
    });
    expect(Math.abs(Date.parse(down.health.infrastructure.redis.since) - stoppedAt)).toBeLessThan(5000);

    redis = await startRedis({ port: redis.port });
    const up = await follower.untilSeen(
      ({ sequence, health }) => sequence > down.sequence && health.infrastructure.redis.status === 'UP',
    );
    expect(up.health.status).toBe('OK');
    const since = (await root.graphql('{ systemHealth { infrastructure { redis { status since } } } }')).data;
    expect(since.systemHealth.infrastructure.redis).toEqual({
      status: 'UP',
      since: up.health.infrastructure.redis.since,
    });
    const told = follower.events.filter(({ sequence }) => sequence > first.sequence);
    const back = follow(socketClient(app, bearer(root)), HEALTH, { after: first.sequence });
    expect((await back.until(told.length)).slice(0, told.length)).toEqual(told);
    // What differs from one to the next is more than how it is written.
    for (const [index, event] of told.entries()) {
      expect(JSON.stringify(event.health)).not.toBe(JSON.stringify(told[index - 1]?.health));
    }
  });
});
