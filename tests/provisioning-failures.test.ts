import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { Client as S3Client } from 'minio';
import { type Actor, active, eventually, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { examination, expectNothingWrong } from './support/checker.ts';
import { sql } from './support/database.ts';
import { startKafka } from './support/kafka-broker.ts';
import { freePort } from './support/redis-server.ts';
import { startS3 } from './support/s3-server.ts';

/** Undoes what a test opened, in reverse order. */
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const made = await starting;
  closing.push(() => made.stop());
  return made;
}

let made = 0;
const post = async (admin: Actor, slug = `failing-${++made}`) => {
  const tenant = { name: 'Failing', slug, admin_email: `a@${slug}.test`, admin_password: 'a secret of the tenant' };
  const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', tenant);
  expect(status).toBe(201);
  return { id: body.id as string, slug };
};

const PROVISIONING = `query ($id: UUID!) {
  tenant(id: $id) { status schemaVersion provisioning { state attempt steps { name state attempt error } } }
}`;

interface Step {
  name: string;
  state: string;
  attempt: number;
  error: string | null;
}

const look = async (admin: Actor, id: string) => {
  const { data } = await admin.graphql(PROVISIONING, { id });
  const { state, attempt, steps } = data.tenant.provisioning as { state: string; attempt: number; steps: Step[] };
  return { status: data.tenant.status as string, state, attempt, steps, failed: steps.find(({ error }) => error) };
};

const failedAt = (admin: Actor, id: string, step: string) =>
  eventually(
    () => look(admin, id),
    ({ state, failed }) => state !== 'RUNNING' && failed?.name === step,
  );

const gone = (admin: Actor, id: string) =>
  eventually(
    () => admin.rest('GET', `/api/super-admin/tenants/${id}`),
    ({ status }) => status === 404,
  );

const retry = (admin: Actor, id: string) =>
  admin.graphql('mutation ($id: UUID!) { retryProvisioning(tenantId: $id) { status } }', { id });
const cancel = (admin: Actor, id: string) =>
  admin.graphql('mutation ($id: UUID!) { cancelProvisioning(tenantId: $id) { status } }', { id });

const buckets = async (port: number) => {
  const s3 = new S3Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey: 'S3RVER', secretKey: 'S3RVER' });
  return (await s3.listBuckets()).map(({ name }) => name);
};
const bucketOf = (id: string) => `t-${id.replaceAll('-', '')}`;

describe('while the object store is away', () => {
  let app: TestApp;
  let admin: Actor;
  let port: number;
  beforeEach(async () => {
    port = await freePort();
    app = await started(startApp({ MINIO_URL: `http://S3RVER:a-store-secret@127.0.0.1:${port}` }));
    admin = await superAdmin(app);
  });

  /** Takes any secret key, like the one in the address above. */
  const startS3At = (at: number) => started(startS3({ port: at }));

  /** Seconds between the latest failure and the next attempt: 1 to 2, then 2 to 4, then 4 to 8, ... */
  async function waitOf(id: string): Promise<number> {
    const [row] = await sql<{ seconds: number }>(
      app.databaseUrl,
      `select extract(epoch from start_after - finished_at)::float as seconds
         from pgboss.job join provisioning_steps on singleton_key = org_id::text
        where org_id = $1 and provisioning_steps.state = 'failed'`,
      [id],
    );
    return row!.seconds;
  }

  test('a run whose job was given up, or is gone, goes on until it succeeds', async () => {
    const { id } = await post(admin);
    const { attempt } = await failedAt(admin, id, 'create_stores');
    await sql(app.databaseUrl, `update pgboss.job set state = 'failed' where singleton_key = $1`, [id]);
    const again = await eventually(
      () => look(admin, id),
      (now) => now.attempt > attempt && now.state === 'RETRYING',
    );
    await sql(app.databaseUrl, 'delete from pgboss.job where singleton_key = $1', [id]);
    await eventually(
      () => look(admin, id),
      (now) => now.attempt > again.attempt,
    );
    await startS3At(port);
    await active(admin, id, 60_000);
    const queues = await sql<{ years: number }>(
      app.databaseUrl,
      `select least(retry_limit * retry_delay_max::bigint, retention_seconds) / (365 * 86400) as years from pgboss.queue where name like 'tenant.%'`,
    );
    expect(queues.length).toBeGreaterThan(4);
    expect(Math.min(...queues.map(({ years }) => Number(years)))).toBeGreaterThan(9);
  });

  test('a run fails visibly, with a reason that holds no secret, and is tried again by itself', async () => {
    const { id, slug } = await post(admin);
    const first = await failedAt(admin, id, 'create_stores');
    expect(first).toMatchObject({
      status: 'PROVISIONING',
      state: 'RETRYING',
      failed: { state: 'FAILED', error: 'The object store could not be made: connection refused.' },
    });
    expect(first.steps.map(({ state }) => state)).toEqual([
      'DONE',
      'DONE',
      'DONE',
      'DONE',
      'FAILED',
      'PENDING',
      'PENDING',
    ]);
    const { findings, counts } = await examination(app.databaseUrl);
    expect(findings).toEqual([
      {
        kind: 'unfinished_provisioning',
        problem: expect.stringContaining(`tenant ${slug} (${id}) is retrying: create_stores failed`),
        remedy: expect.stringContaining(`retryProvisioning(tenantId: "${id}")`),
      },
    ]);
    expect(findings[0]!.problem).toContain('The object store could not be made: connection refused.');
    expect(counts.underWay).toBe(0);
    expect(await waitOf(id)).toBeLessThan(2.1);
    const again = await eventually(
      () => look(admin, id),
      ({ attempt, state }) => attempt === 2 && state === 'RETRYING',
    );
    expect(again.failed!.attempt).toBe(2);
    expect(await waitOf(id)).toBeGreaterThan(1.9);
    const written = await sql(
      app.databaseUrl,
      'select (select json_agg(j) from pgboss.job j)::text || (select json_agg(s) from provisioning_steps s)::text as all',
    );
    expect(JSON.stringify(written)).not.toMatch(/a-store-secret|a secret of the tenant/);
    await startS3At(port);
    await active(admin, id);
    expect(await buckets(port)).toEqual([bucketOf(id)]);
    await expectNothingWrong(app.databaseUrl);
  });

  test('retryProvisioning starts it at once when the store is back; afterwards there is nothing to retry', async () => {
    const { id } = await post(admin);
    await failedAt(admin, id, 'create_stores');
    await sql(
      app.databaseUrl,
      `update pgboss.job set start_after = now() + interval '1 hour' where singleton_key = '${id}'`,
    );
    await startS3At(port);
    expect((await retry(admin, id)).data.retryProvisioning.status).toBe('PROVISIONING');
    await active(admin, id);
    for (const answer of [await retry(admin, id), await cancel(admin, id)]) {
      expect(answer.errors![0]).toMatchObject({
        message: 'The provisioning of this tenant has ended already.',
        extensions: { code: 'CONFLICT' },
      });
    }
    const nobody = '01a20000-0000-7000-8000-000000000000';
    for (const answer of [await retry(admin, nobody), await cancel(admin, nobody)]) {
      expect(answer.errors![0]!.extensions.code).toBe('NOT_FOUND');
    }
  });

  test('a cancelled run says what keeps it from ending, then removes everything and frees the slug', async () => {
    const { id, slug } = await post(admin);
    await failedAt(admin, id, 'create_stores');
    expect((await cancel(admin, id)).data.cancelProvisioning.status).toBe('PROVISIONING');
    const stuck = await eventually(
      () => look(admin, id),
      ({ state, failed }) => state === 'CANCELLING' && !!failed?.error?.includes('removed'),
    );
    expect(stuck.failed!.error).toBe('The object store could not be removed: connection refused.');
    const { findings } = await examination(app.databaseUrl);
    expect(findings).toMatchObject([
      { kind: 'unfinished_provisioning', problem: expect.stringContaining('cancelling') },
    ]);
    await startS3At(port);
    await retry(admin, id);
    await gone(admin, id);
    expect(await expectNothingWrong(app.databaseUrl)).toMatchObject({ tenants: 0, databases: 0, roles: 0 });
    const next = await post(admin, slug);
    await active(admin, next.id);
    expect(await buckets(port)).toEqual([bucketOf(next.id)]);
  });
});

describeIf('with a Kafka broker and an object store', hasProgram('kcat'), 'kcat is not on PATH', () => {
  test('a tenant gets its topics and its bucket', async () => {
    const [kafka, s3] = await Promise.all([started(startKafka()), started(startS3())]);
    const app = await started(startApp({ MINIO_URL: s3.url, KAFKA_BROKERS: kafka.brokers.join() }));
    const { id } = await post(await superAdmin(app));
    await active(await superAdmin(app), id);
    expect(await buckets(s3.port)).toEqual([bucketOf(id)]);
    const broker = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
    closing.push(() => broker.disconnect());
    const topics = (await broker.listTopics()).filter((name) => name.startsWith('t-'));
    expect(topics.sort()).toEqual(['events', 'inbound', 'outbound'].map((name) => `${bucketOf(id)}.${name}`));
  });

  // What is cancelled here never had topics: the mock cluster inside kcat cannot delete any.
  test('a run that is cancelled between the two takes its bucket with it', async () => {
    const port = await freePort();
    const s3 = await started(startS3());
    const app = await started(startApp({ MINIO_URL: s3.url, KAFKA_BROKERS: `127.0.0.1:${port}` }));
    const admin = await superAdmin(app);
    const { id } = await post(admin);
    const { failed } = await failedAt(admin, id, 'create_stores');
    expect(failed!.error).toBe('The topics could not be made: connection refused.');
    expect(await buckets(s3.port)).toEqual([bucketOf(id)]);
    await started(startKafka({ port }));
    await cancel(admin, id);
    await gone(admin, id);
    expect(await buckets(s3.port)).toEqual([]);
    await expectNothingWrong(app.databaseUrl);
  });
});
