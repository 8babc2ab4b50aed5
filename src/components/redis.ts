import { createClient } from 'redis';
import { type Probe, untilAborted } from './probe.ts';

type Client = ReturnType<typeof openable>;

/** Redis at `url`, probed with PING over one connection that is kept while it works. */
export function redisComponent(url: string): { probe: Probe } {
  let kept: { client: Client; ready: Promise<unknown> } | undefined;

  function connected() {
    if (kept?.client.isOpen) return kept;
    const client = openable(url);
    // Whoever waits for an answer is told of the failure; without a listener the event would end the process.
    client.on('error', () => {});
    kept = { client, ready: client.connect() };
    return kept;
  }

  function discard(client: Client | undefined) {
    if (kept?.client === client) kept = undefined;
    client?.destroy();
  }

  return {
    probe: {
      async check(signal) {
        const { client, ready } = connected();
        try {
          await untilAborted(
            ready.then(() => client.ping()),
            signal,
          );
        } catch (error) {
          discard(client);
          throw error;
        }
      },
      async close() {
        discard(kept?.client);
      },
    },
  };
}

function openable(url: string) {
  return createClient({
    url,
    // The next check connects anew: a client that retries by itself would leave this one waiting without a reason.
    socket: { reconnectStrategy: false, connectTimeout: 1_500 },
    // RESP 3 begins with HELLO, which Redis before 6 does not know.
    RESP: 2,
    disableClientInfo: true,
  });
}
