import { connect } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { describeFailure } from '../src/components/describe-failure.ts';
import { makeComponents } from '../src/components/index.ts';
import { withDeadline } from '../src/components/probe.ts';
import { ConfigError, readConfig } from '../src/config.ts';
import { describeIf, hasProgram } from './support/available.ts';
import { startKafka } from './support/kafka-broker.ts';
import { CERTIFICATE, type KafkaListener, PRIVATE_KEY, startKafkaListener } from './support/kafka-listener.ts';

const PASSWORD = 'the right secret';
const PLAIN = {
  KAFKA_SSL: 'true',
  KAFKA_SASL_MECHANISM: 'PLAIN',
  KAFKA_SASL_USERNAME: 'omnistream',
  KAFKA_SASL_PASSWORD: PASSWORD,
};

const TRUSTED = getCACertificates();
/** As `NODE_EXTRA_CA_CERTS` does at a start. */
const trust = (...certificates: string[]) => setDefaultCACertificates([...TRUSTED, ...certificates]);

/** @returns why Kafka is down in the health report, by these variables; undefined where it is up. */
async function downBecause(env: Record<string, string>): Promise<string | undefined> {
  const { probes, close } = await makeComponents(readConfig(env).components);
  try {
    return await withDeadline(5000, (signal) => probes.kafka!.check(signal)).then(() => undefined, describeFailure);
  } finally {
    await close();
  }
}

let listener: KafkaListener;
beforeAll(async () => {
  listener = await startKafkaListener(PASSWORD);
});
afterAll(() => listener?.stop());
afterEach(() => {
  trust();
  listener.heard.length = 0;
  listener.names.length = 0;
});

describe('a Kafka broker that speaks TLS and wants to know who asks', () => {
  const at = (host = '127.0.0.1') => ({ KAFKA_BROKERS: `${host}:${listener.port}` });

  test('is signed in to', async () => {
    trust(CERTIFICATE);
    expect(await downBecause({ ...at(), ...PLAIN })).toBeUndefined();
    expect(listener.heard).toEqual(['PLAIN', `omnistream ${PASSWORD}`]);
  });

  test('is asked by its name for its certificate', async () => {
    trust(CERTIFICATE);
    expect(await downBecause({ ...at('localhost'), ...PLAIN })).toBeUndefined();
    expect(listener.names).toEqual(['localhost']);
  });

  test('is told nothing where nobody vouches for its certificate', async () => {
    expect(await downBecause({ ...at(), ...PLAIN })).toBe('TLS certificate not trusted');
    expect(listener.heard).toEqual([]);
  });

  test('refuses another password, which the report does not repeat', async () => {
    trust(CERTIFICATE);
    expect(await downBecause({ ...at(), ...PLAIN, KAFKA_SASL_PASSWORD: 'a wrong secret' })).toBe('wrong credentials');
  });

  test('is not told a password where it does not know the mechanism', async () => {
    trust(CERTIFICATE);
    const reason = await downBecause({ ...at(), ...PLAIN, KAFKA_SASL_MECHANISM: 'scram-sha-512' });
    expect(reason).toBe('this SASL mechanism is not offered there');
    expect(listener.heard).toEqual(['SCRAM-SHA-512']);
  });

  test('is down where it is asked without TLS, which it is not told', async () => {
    expect(await downBecause(at())).toMatch(/^(connection closed|no answer in time)$/);
    expect(listener.heard).toEqual([]);
  });
});

describeIf('kcat behind TLS', hasProgram('kcat'), 'kcat, whose mock cluster is the broker, is not on PATH', () => {
  test('is up, without signing in', async () => {
    const { port, stop } = await startKafka();
    const tls = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
      const inside = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [socket, inside],
        [inside, socket],
      ] as const)
        one.on('error', () => other.destroy()).pipe(other);
    });
    await new Promise<void>((listening) => tls.listen(0, '127.0.0.1', listening));
    try {
      trust(CERTIFICATE);
      const { port: outside } = tls.address() as { port: number };
      expect(await downBecause({ KAFKA_BROKERS: `127.0.0.1:${outside}`, KAFKA_SSL: 'true' })).toBeUndefined();
    } finally {
      tls.close();
      await stop();
    }
  });
});

test.each<[Record<string, string>, RegExp]>([
  [{ KAFKA_SSL: 'yes please' }, /KAFKA_SSL must be true or false/],
  [
    { ...PLAIN, KAFKA_SASL_MECHANISM: 'gssapi' },
    /KAFKA_SASL_MECHANISM must be one of plain, scram-sha-256, scram-sha-512/,
  ],
  [{ ...PLAIN, KAFKA_SASL_USERNAME: '' }, /go together: set all three/],
  [{ ...PLAIN, KAFKA_SASL_MECHANISM: '' }, /go together: set all three/],
  [{ ...PLAIN, KAFKA_SSL: '' }, /plain sends the password as it is/],
  [{ ...PLAIN, KAFKA_BROKERS: '' }, /mean nothing without KAFKA_BROKERS/],
])('settings that make no sense are named at start, and no secret is: %p', (env, says) => {
  const start = () => readConfig({ KAFKA_BROKERS: 'broker:9092', ...env });
  expect(start).toThrow(ConfigError);
  expect(start).toThrow(says);
  expect(start).not.toThrow(PASSWORD);
});
