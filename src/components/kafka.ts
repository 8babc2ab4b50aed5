import { createRequire } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import { type Admin, Kafka, type RetryOptions, type SASLOptions } from 'kafkajs';
import type { KafkaAccess } from '../kafka-access.ts';
import { failuresBeneath } from './describe-failure.ts';
import { type Probe, untilAborted, withDeadline } from './probe.ts';
import { STORE_DEADLINE_MS, type TenantRef, type TenantStore } from './tenant-store.ts';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}
const { prototype: requestQueue } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  prototype: RequestQueue;
};
const { scheduleCheckPendingRequests } = requestQueue;
// kafkajs 2.2.4 sets a timer with a negative delay after each answer, for ever: Node 24 prints a warning, and the timer
// fires every millisecond (tulios/kafkajs#1751). It is of use only while requests wait to be sent.
requestQueue.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};

const topicsOf = ({ storeName }: TenantRef) =>
  ['inbound', 'outbound', 'events'].map((topic) => `${storeName}.${topic}`);

/**
 * A Kafka cluster, `host:port` each: probed by connecting (with the version handshake) and signing in, three topics per tenant.
 *
 * Each operation has connections of its own. A kept one would save nothing: kafkajs loads the metadata of every topic for
 * each administrative request, fails it while any of them is between leaders, and does not find brokers that moved.
 */
export function kafkaComponent(
  brokers: readonly string[],
  access: KafkaAccess = { ssl: false },
): { probe: Probe; store: TenantStore } {
  const open = new Set<Session>();

  async function within<T>(
    signal: AbortSignal,
    addresses: readonly string[],
    retry: RetryOptions,
    work: (admin: Admin) => Promise<T>,
  ) {
    const session = openSession(addresses, access, retry);
    open.add(session);
    try {
      return await untilAborted(
        session.admin.connect().then(() => work(session.admin)),
        signal,
      );
    } finally {
      open.delete(session);
      session.end();
    }
  }
  const administer = (work: (admin: Admin) => Promise<unknown>) =>
    withDeadline(STORE_DEADLINE_MS, async (signal) => {
      await within(signal, brokers, { retries: 3, initialRetryTime: 100 }, work);
    });
  const close = async () => {
    for (const session of open) session.end();
  };

  return {
    probe: {
      async check(signal) {
        const enough = new AbortController();
        const either = AbortSignal.any([signal, enough.signal]);
        try {
          // All at once: dead brokers asked before a living one would use up the time.
          await Promise.any(brokers.map((broker) => within(either, [broker], { retries: 0 }, async () => {})));
        } finally {
          enough.abort();
        }
      },
      close,
    },
    store: {
      label: 'topics',
      create: (tenant) => administer((admin) => createTopics(admin, topicsOf(tenant))),
      drop: (tenant) => administer((admin) => deleteTopics(admin, topicsOf(tenant))),
      close,
    },
  };
}

interface Session {
  readonly admin: Admin;
  /** Breaks its connections: waiting requests fail and nothing is left behind. */
  end(): void;
}

function openSession(brokers: readonly string[], { ssl, sasl }: KafkaAccess, retry: RetryOptions): Session {
  const sockets = new Set<net.Socket>();
  let ended = false;
  const kafka = new Kafka({
    clientId: 'omnistream-gateway',
    brokers: [...brokers],
    ssl,
    // A copy: kafkajs notes in it how it signs in.
    ...(sasl && { sasl: { ...sasl } as SASLOptions }),
    connectionTimeout: 1_500,
    requestTimeout: STORE_DEADLINE_MS,
    retry,
    logCreator: () => () => {},
    socketFactory({ host, port, ssl, onConnect }) {
      // The name says which certificate is wanted, where several are behind one address; an address is no name.
      const servername = net.isIP(host) ? undefined : host;
      const socket = ssl ? tls.connect({ host, port, servername }, onConnect) : net.connect({ host, port }, onConnect);
      sockets.add(socket);
      // A retry that was under way when the session ended.
      if (ended) socket.destroy(new Error('connection closed'));
      return socket;
    },
  });
  return {
    admin: kafka.admin(),
    end() {
      ended = true;
      // kafkajs clears its timers on an error of the socket; its own disconnect waits for answers.
      for (const socket of sockets) socket.destroy(new Error('connection closed'));
    },
  };
}

async function createTopics(admin: Admin, topics: string[]) {
  try {
    // Sizes are the cluster's defaults. Nobody reads from a new topic at once, so its leaders may take their time.
    await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: false });
  } catch (error) {
    if (!cannotAdminister(error)) throw error;
    // Such a broker makes topics when it is asked about them, or rejects.
    await admin.fetchTopicMetadata({ topics });
  }
}

async function deleteTopics(admin: Admin, topics: string[]) {
  const present = await admin.listTopics();
  const doomed = topics.filter((topic) => present.includes(topic));
  if (!doomed.length) return;
  try {
    await admin.deleteTopics({ topics: doomed });
  } catch (error) {
    if (isOf(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return;
    if (!cannotAdminister(error)) throw error;
    throw new Error(`this Kafka broker cannot delete topics; what remains: ${doomed.join(', ')}`);
  }
}

/** A broker without a controller or without the requests on topics, such as librdkafka's mock cluster. */
const cannotAdminister = (error: unknown) => isOf(error, 'KafkaJSBrokerNotFound', 'KafkaJSServerDoesNotSupportApiKey');

const isOf = (error: unknown, ...kinds: string[]) =>
  failuresBeneath(error).some(
    (failure) => kinds.includes(Object(failure).name) || kinds.includes(Object(failure).type),
  );
