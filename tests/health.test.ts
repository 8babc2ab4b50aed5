import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sampleHealth } from '../src/domain/health-history.ts';
import { type Actor, anonymous, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { sql } from './support/database.ts';
import { startRedis } from './support/redis-server.ts';

const health = async (admin: Actor) => (await admin.rest('GET', '/api/super-admin/health')).body;

describe('the health report', () => {
  let app: TestApp;
  let admin: Actor;
  /** Accepts connections and never says anything. */
  const blackHole = createServer((socket) => socket.on('error', () => {}).resume());

  beforeAll(async () => {
    await new Promise<void>((listening) => blackHole.listen(0, '127.0.0.1', listening));
    const { port } = blackHole.address() as { port: number };
    app = await startApp({ AI_AGENT_URL: `http://127.0.0.1:${port}` });
    admin = await superAdmin(app);
  });
  afterAll(async () => {
    await app.stop();
    await new Promise((closed) => blackHole.close(closed));
  });

  test('costs at most two seconds with a component that never answers, is degraded, and still 200', async () => {
    const start = performance.now();
    const { status, body } = await admin.rest('GET', '/api/super-admin/health');
    expect(performance.now() - start).toBeLessThan(4000);
    expect(status).toBe(200);
    expect(body.status).toBe('degraded');
    expect(body.infrastructure.control_plane).toEqual({ status: 'up', latency_ms: expect.any(Number) });
    expect(body.infrastructure.postgres).toEqual({ status: 'up', latency_ms: expect.any(Number) });
    expect(body.infrastructure.redis).toEqual({ status: 'not_configured' });
    expect(body.microservices.api_gateway).toEqual({ status: 'up' });
    expect(body.microservices.ai_agent).toEqual({
      status: 'down',
      latency_ms: expect.any(Number),
      error: expect.stringContaining('no answer'),
    });
  });

  test('is probed once for a storm of callers', async () => {
    const probe = jest.spyOn(app.services.components.probes.services.aiAgent!, 'check');
    await eventually(
      async () => Promise.all(Array.from({ length: 50 }, () => admin.rest('GET', '/api/super-admin/health'))),
      () => true,
    );
    // The watch of health may have come by meanwhile.
    expect(probe.mock.calls.length).toBeLessThanOrEqual(2);
    probe.mockRestore();
  });

  test('counts tenants, and calls a platform active when an active tenant has it connected', async () => {
    const before = await health(admin);
    expect(before.platforms.whatsapp).toEqual({ status: 'inactive' });
    const tenant = await provision(admin);
    await app.services.tenants.rows(tenant.id, {
      name: 'connect_whatsapp',
      text: `insert into integrations (id, channel) values (gen_random_uuid(), 'whatsapp')`,
    });
    const after = await eventually(
      () => health(admin),
      ({ platforms, tenants }) =>
        platforms.whatsapp.status === 'active' && tenants.active === before.tenants.active + 1,
    );
    expect(after.tenants.total).toBe(before.tenants.total + 1);
    expect(after.platforms.email).toEqual({ status: 'inactive' });

    await admin.rest('DELETE', `/api/super-admin/tenants/${tenant.id}`);
    await eventually(
      () => health(admin),
      ({ platforms, tenants }) =>
        platforms.whatsapp.status === 'inactive' && tenants.suspended === before.tenants.suspended + 1,
    );
  });

  test('leaves a history for the chart', async () => {
    await sampleHealth(app.services);
    const { data } = await admin.graphql('{ healthHistory(component: "aiAgent") { status latencyMs at } }');
    expect(data.healthHistory[0]).toEqual({
      status: 'DOWN',
      latencyMs: expect.any(Number),
      at: expect.stringMatching(/Z$/),
    });
    const { data: none } = await admin.graphql('{ healthHistory(component: "redis") { status } }');
    expect(none.healthHistory).toEqual([]);
  });
});

describe('the timeline', () => {
  let app: TestApp;
  let admin: Actor;
  const timeline = async (args: string) => {
    const query = `{ healthTimeline${args} { component buckets { from status latencyMs } } }`;
    const { data, errors } = await admin.graphql(query);
    expect(errors).toBeUndefined();
    return data.healthTimeline as {
      component: string;
      buckets: { from: string; status: string; latencyMs: number }[];
    }[];
  };
  const sample = (component: string, secondsAgo: number, status: string, latencyMs: number | null) =>
    sql(
      app.databaseUrl,
      `insert into health_samples (component, status, latency_ms, at) values ($1, $2, $3, now() - make_interval(secs => $4))`,
      [component, status, latencyMs, secondsAgo],
    );

  beforeAll(async () => {
    app = await startApp();
    admin = await superAdmin(app);
  });
  afterAll(() => app.stop());

  test('has bars of one length, each as bad as the worst in it and as slow as their mean', async () => {
    // Whatever the time, two samples a second apart lie in one bar of an hour or in two that touch.
    for (const [seconds, status, latency] of [
      [7200, 'up', 10],
      [7200, 'down', 30],
      [7200, 'up', null],
      [3600, 'up', 5],
    ] as const) {
      await sample('chatEngine', seconds, status, latency);
    }
    await sample('wsServer', 0, 'down', 1800);
    await sample('wsServer', 25 * 3600, 'up', 1);
    const all = await timeline('(minutes: 1440, buckets: 24)');
    const [chat, socket] = ['chatEngine', 'wsServer'].map((name) => all.find(({ component }) => component === name)!);
    expect(chat!.buckets).toEqual([
      { from: expect.stringMatching(/:00:00\.000Z$/), status: 'DOWN', latencyMs: 20 },
      { from: expect.stringMatching(/:00:00\.000Z$/), status: 'UP', latencyMs: 5 },
    ]);
    const [first, second] = chat!.buckets.map(({ from }) => Date.parse(from));
    expect(second! - first!).toBe(3_600_000);
    expect(socket!.buckets).toMatchObject([{ status: 'DOWN', latencyMs: 1800 }]);
  });

  test('has no more bars than are asked for, none of them before the time that is asked for', async () => {
    for (let ago = 0; ago < 600; ago += 7) await sample('aiAgent', ago, 'up', 1);
    for (const [minutes, buckets] of [
      [1, 1],
      [5, 60],
      [7, 3],
      [1, 500],
      [1440, 500],
    ] as const) {
      const asked = Date.now();
      const all = await timeline(`(minutes: ${minutes}, buckets: ${buckets})`);
      for (const { buckets: bars } of all) {
        expect(bars.length).toBeLessThanOrEqual(buckets);
        const starts = bars.map(({ from }) => Date.parse(from));
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        expect(Math.min(...starts)).toBeGreaterThan(asked - minutes * 60_000 - 1000);
      }
    }
  });

  test('refuses what it cannot hold', async () => {
    for (const [args, field] of [
      ['(minutes: 0)', 'minutes'],
      ['(minutes: 1441)', 'minutes'],
      ['(buckets: 0)', 'buckets'],
      ['(buckets: 501)', 'buckets'],
    ]) {
      const { errors } = await admin.graphql(`{ healthTimeline${args} { component } }`);
      expect(errors![0]!.extensions).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field }] });
    }
  });
});

describeIf('Redis', hasProgram('redis-server'), 'redis-server is not on PATH', () => {
  test('turns the report to degraded while it is stopped, and back when it runs again', async () => {
    const redis = await startRedis();
    const app = await startApp({ REDIS_URL: redis.url });
    const admin = await superAdmin(app);
    try {
      expect((await health(admin)).infrastructure.redis.status).toBe('up');
      expect((await health(admin)).status).toBe('ok');
      await redis.stop();
      const down = await eventually(
        () => health(admin),
        ({ status }) => status === 'degraded',
      );
      expect(down.infrastructure.redis).toEqual({
        status: 'down',
        latency_ms: expect.any(Number),
        error: expect.stringMatching(/connection (refused|closed)/),
      });
      const again = await startRedis({ port: redis.port });
      await eventually(
        () => health(admin),
        ({ status }) => status === 'ok',
      );
      await again.stop();
    } finally {
      await app.stop();
    }
  });
});

describe('while the control database is away', () => {
  test('the process lives, is not ready, says 503 with Retry-After, and recovers by itself', async () => {
    const app = await startApp();
    const admin = await superAdmin(app);
    const nobody = anonymous(app);
    const database = new URL(app.databaseUrl).pathname.slice(1);
    const maintenance = app.databaseUrl.replace(`/${database}`, '/postgres');
    try {
      // As a server that is shutting down: no new connections, and the present ones are ended.
      await sql(maintenance, `alter database ${database} allow_connections false`);
      await sql(maintenance, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
      await eventually(
        () => nobody.rest('GET', '/readyz'),
        ({ status }) => status === 503,
      );
      expect((await nobody.rest('GET', '/api/health')).status).toBe(200);
      const refused = await admin.rest('GET', '/api/super-admin/tenants');
      expect(refused.status).toBe(503);
      expect(refused.body.code).toBe('unavailable');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await health(admin)).infrastructure.control_plane.status).toBe('down');

      await sql(maintenance, `alter database ${database} allow_connections true`);
      await eventually(
        () => admin.rest('GET', '/api/super-admin/tenants'),
        ({ status }) => status === 200,
        5000,
      );
      // The event connection is back as well: a revocation arrives.
      const created = await admin.rest('POST', '/api/super-admin/admins', {
        email: 'b@platform.test',
        name: 'B',
        password: 'password1',
      });
      const other = await superAdmin(app, { email: 'b@platform.test', password: 'password1' });
      await admin.rest('DELETE', `/api/super-admin/admins/${created.body.id}`);
      await eventually(
        () => other.rest('GET', '/api/super-admin/admins'),
        ({ status }) => status === 401,
      );
      await provision(admin);
    } finally {
      await app.stop();
    }
  });
});
