import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { Client as S3Client } from 'minio';
import { MongoClient } from 'mongodb';
import { describeFailure } from '../src/components/describe-failure.ts';
import { type Components, makeComponents } from '../src/components/index.ts';
import { type Probe, withDeadline } from '../src/components/probe.ts';
import type { ComponentsConfig } from '../src/config.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { startKafka } from './support/kafka-broker.ts';
import { freePort, startRedis } from './support/redis-server.ts';
import { startS3 } from './support/s3-server.ts';

const tenant = { mongoDatabase: 'acme_test', storeName: 't-0123456789abcdef0123456789abcdef' };

/** Undoes what a test opened, in reverse order. */
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function components(config: Partial<ComponentsConfig>): Promise<Components> {
  const made = await makeComponents({ services: {}, ...config });
  closing.push(() => made.close());
  return made;
}

async function running<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  closing.push(() => server.stop());
  return server;
}

/** Opens a server on a free port; closing it also breaks its connections. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  return (server.address() as AddressInfo).port;
}

/** A port that accepts connections and never answers. */
const blackHole = () => listening(createServer((socket) => socket.on('error', () => {}).resume()));

/** `undefined` when the component is up, otherwise the sentence on why it is not. Either comes within 2 s. */
async function downBecause(probe: Probe | undefined): Promise<string | undefined> {
  if (!probe) throw new Error('not configured');
  const start = performance.now();
  const sentence = await withDeadline(1_900, (signal) => probe.check(signal)).then(() => undefined, describeFailure);
  expect(performance.now() - start).toBeLessThan(4_000);
  return sentence;
}

/** Up while the server runs, down while it is stopped, up again on the same port, all seen by one client. */
async function follows(
  start: (options: { port?: number }) => Promise<{ port: number; stop(): Promise<void> }>,
  probeOf: (port: number) => Promise<Probe | undefined>,
) {
  const first = await running(start({}));
  const probe = await probeOf(first.port);
  expect(await downBecause(probe)).toBeUndefined();
  expect(await downBecause(probe)).toBeUndefined();
  await first.stop();
  expect(await downBecause(probe)).toMatch(/^connection (refused|closed)$/);
  expect(await downBecause(probe)).toBe('connection refused');
  await running(start({ port: first.port }));
  expect(await downBecause(probe)).toBeUndefined();
}

const noRedis = 'redis-server is not on PATH';
describeIf('Redis', hasProgram('redis-server'), noRedis, () => {
  test('is up while it runs, down while it is stopped and up again when it is back', async () => {
    await follows(
      startRedis,
      async (port) => (await components({ redisUrl: `redis://127.0.0.1:${port}` })).probes.redis,
    );
  });

  test('is down with wrong or missing credentials, which are not repeated', async () => {
    const { port, url } = await running(startRedis({ password: 'right-secret' }));
    expect(await downBecause((await components({ redisUrl: url })).probes.redis)).toBeUndefined();
    for (const wrong of [`redis://:wrong-secret@127.0.0.1:${port}`, `redis://127.0.0.1:${port}`]) {
      expect(await downBecause((await components({ redisUrl: wrong })).probes.redis)).toBe('wrong credentials');
    }
  });
});

const noKcat = 'kcat, whose mock cluster is the broker, is not on PATH';
describeIf('Kafka', hasProgram('kcat'), noKcat, () => {
  test('is up while it runs, down while it is stopped and up again when it is back', async () => {
    await follows(startKafka, async (port) => (await components({ kafkaBrokers: [`127.0.0.1:${port}`] })).probes.kafka);
  });

  test('is up while one of its brokers answers', async () => {
    const { brokers } = await running(startKafka());
    const dead = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await blackHole()}`];
    expect(await downBecause((await components({ kafkaBrokers: [...dead, ...brokers] })).probes.kafka)).toBeUndefined();
  });

  test("a broker without topic administration makes a tenant's topics, and says that it cannot delete them", async () => {
    const { brokers } = await running(startKafka());
    const [store] = (await components({ kafkaBrokers: brokers })).stores;
    await store?.drop(tenant);
    await store?.create(tenant);
    await store?.create(tenant);
    const refusal = await store?.drop(tenant).catch(describeFailure);
    expect(refusal).toContain('cannot delete topics');
    for (const topic of ['inbound', 'outbound', 'events']) expect(refusal).toContain(`${tenant.storeName}.${topic}`);
  });
});

describeIf('A whole Kafka cluster', !!process.env.KAFKA_BROKERS, 'KAFKA_BROKERS is not set', () => {
  test("makes a tenant's topics and removes them, either of them twice", async () => {
    const brokers = process.env.KAFKA_BROKERS?.split(',') ?? [];
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    closing.push(() => admin.disconnect());
    const topics = async () => (await admin.listTopics()).filter((topic) => topic.startsWith(tenant.storeName));
    const { stores, probes } = await components({ kafkaBrokers: brokers });
    expect(await downBecause(probes.kafka)).toBeUndefined();
    await stores[0]?.drop(tenant);
    await stores[0]?.create(tenant);
    await stores[0]?.create(tenant);
    expect(await topics()).toHaveLength(3);
    await stores[0]?.drop(tenant);
    await stores[0]?.drop(tenant);
    expect(await topics()).toEqual([]);
  });
});

describe('An S3-compatible object store', () => {
  test('is up while it runs, down while it is stopped and up again when it is back', async () => {
    await follows(
      startS3,
      async (port) => (await components({ minioUrl: `http://S3RVER:S3RVER@127.0.0.1:${port}` })).probes.minio,
    );
  });

  test('is down with unknown credentials', async () => {
    const { port } = await running(startS3());
    const { probes } = await components({ minioUrl: `http://nobody-known:a-secret@127.0.0.1:${port}` });
    expect(await downBecause(probes.minio)).toBe('wrong credentials');
  });

  test("makes a tenant's bucket and removes it with what is in it, either of them twice", async () => {
    const { port, url } = await running(startS3());
    const s3 = new S3Client({ endPoint: '127.0.0.1', port, useSSL: false, accessKey: 'S3RVER', secretKey: 'S3RVER' });
    const [store] = (await components({ minioUrl: url })).stores;
    await store?.drop(tenant);
    await store?.create(tenant);
    await s3.putObject(tenant.storeName, 'a folder/a file.txt', 'content');
    await store?.create(tenant);
    expect((await s3.listBuckets()).map((bucket) => bucket.name)).toEqual([tenant.storeName]);
    await store?.drop(tenant);
    await store?.drop(tenant);
    expect(await s3.listBuckets()).toEqual([]);
  });
});

describeIf('MongoDB', !!process.env.MONGODB_URL, 'MONGODB_URL is not set', () => {
  const mongodbUrl = process.env.MONGODB_URL ?? '';

  test('is up', async () => {
    expect(await downBecause((await components({ mongodbUrl })).probes.mongodb)).toBeUndefined();
  });

  test("makes a tenant's collections and removes them, either of them twice", async () => {
    const mongo = new MongoClient(mongodbUrl);
    closing.push(() => mongo.close());
    const names = async () =>
      (await mongo.db(tenant.mongoDatabase).listCollections().toArray()).map(({ name }) => name);
    const [store] = (await components({ mongodbUrl })).stores;
    await store?.drop(tenant);
    await store?.create(tenant);
    await store?.create(tenant);
    expect((await names()).sort()).toEqual(['conversations', 'events', 'messages']);
    expect(await mongo.db(tenant.mongoDatabase).collection('messages').indexExists('created_at_1')).toBe(true);
    await store?.drop(tenant);
    await store?.drop(tenant);
    expect(await names()).toEqual([]);
  });
});

describe('A service over HTTP', () => {
  let asked: string[];

  async function serviceAnswering(statuses: Record<string, number>, location = '/'): Promise<Probe | undefined> {
    asked = [];
    const port = await listening(
      createHttpServer(({ url = '', headers }, response) => {
        asked.push(url);
        response.writeHead(statuses[url] ?? 404, { location }).end(headers.authorization);
      }),
    );
    return (await components({ services: { aiAgent: `http://user:a-secret@127.0.0.1:${port}/base/` } })).probes.services
      .aiAgent;
  }

  test.each([
    ['its health page answers 204', { '/base/health': 204 }, undefined],
    ['its health page answers 503', { '/base/health': 503, '/base/': 200 }, 'answered HTTP 503'],
    ['it has no health page and answers 401', { '/base/': 401 }, undefined],
    ['it has no health page and answers 500', { '/base/': 500 }, 'answered HTTP 500'],
  ])('when %s', async (_, statuses, sentence) => {
    expect(await downBecause(await serviceAnswering(statuses as Record<string, number>))).toBe(sentence);
  });

  test.each([
    ['its health page', { '/base/health': 302 }, 'answered HTTP 302'],
    ['the page that it has in the place of one', { '/base/': 302 }, undefined],
  ])('that redirects %s is not followed anywhere', async (_, statuses, sentence) => {
    expect(await downBecause(await serviceAnswering(statuses as Record<string, number>, '/elsewhere'))).toBe(sentence);
    expect(asked).not.toContain('/elsewhere');
  });
});

/** Why each component is down that is looked for at this address, with credentials wherever its URL can hold them. */
async function allDownBecause(host: string): Promise<Record<string, string | undefined>> {
  const { probes: made } = await components({
    redisUrl: `redis://user:a-secret@${host}/3`,
    mongodbUrl: `mongodb://user:a-secret@${host}/?directConnection=true`,
    kafkaBrokers: [host],
    minioUrl: `http://user:a-secret@${host}`,
    services: { chatEngine: `http://user:a-secret@${host}` },
  });
  const { services, ...infrastructure } = made;
  const probes = Object.entries({ ...infrastructure, ...services });
  return Object.fromEntries(await Promise.all(probes.map(async ([name, probe]) => [name, await downBecause(probe)])));
}

const all = (sentence: unknown) => ({
  redis: sentence,
  mongodb: sentence,
  kafka: sentence,
  minio: sentence,
  chatEngine: sentence,
});

describe('Every component', () => {
  test('is down within 2 seconds when nothing listens', async () => {
    expect(await allDownBecause(`127.0.0.1:${await freePort()}`)).toEqual(all('connection refused'));
  });

  test('is down within 2 seconds when something listens and never answers', async () => {
    const noAnswer = expect.stringMatching(/^no answer (in time|within 1.9 s)$/);
    expect(await allDownBecause(`127.0.0.1:${await blackHole()}`)).toEqual(all(noAnswer));
  });

  test('is down within 2 seconds when something else answers, and its credentials stay unsaid', async () => {
    const mail = createServer((socket) => socket.on('error', () => {}).end('220 mail.example ESMTP\r\n'));
    const sentences = await allDownBecause(`127.0.0.1:${await listening(mail)}`);
    expect(sentences).toEqual(all(expect.stringMatching(/^.{5,200}$/)));
    expect(JSON.stringify(sentences)).not.toMatch(/secret|user/);
  });

  test('that is not configured is not there', async () => {
    expect(await components({})).toMatchObject({ probes: { services: {} }, stores: [] });
    expect(Object.keys((await components({ redisUrl: 'redis://127.0.0.1' })).probes)).toEqual(['redis', 'services']);
  });
});

describe('The sentence on a failure', () => {
  test.each([
    [new Error('cannot connect to redis://admin:hunter2@cache:6379/0'), 'cannot connect to redis://***@cache:6379/0'],
    [new Error('bad dsn: password=hunter2 host=db'), 'bad dsn: password=*** host=db'],
    [new Error("ENOENT: no such file, open '/srv/app/data/key.pem'"), "ENOENT: no such file, open '<path>'"],
    [new Error('insert into "agent" ("email") values (\'a@b\') - duplicate key'), 'a database statement failed'],
    [new Error('first line\n    at secret (/srv/app.ts:1:1)'), 'first line'],
    [new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })]), 'connection refused'],
    [new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ENOTFOUND' }) }), 'host not found'],
    [new Error('outside', { cause: new Error('inside') }), 'inside'],
    [Object.assign(new Error('The request signature …'), { code: 'SignatureDoesNotMatch' }), 'wrong credentials'],
    ['a thrown string', 'a thrown string'],
    [undefined, 'failed without saying why'],
  ])('of %p is clean', (error, sentence) => {
    expect(describeFailure(error)).toBe(sentence);
  });

  test('is cut at 200 characters, and survives a failure that causes itself', () => {
    const failure = new Error('x'.repeat(500));
    failure.cause = failure;
    expect(describeFailure(failure)).toHaveLength(200);
  });
});
