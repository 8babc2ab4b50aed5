/** A client that comes back with `after` as long as it is not told to stop, as docs/subscriptions.md says to. */
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** What every event has. */
export interface Told {
  sequence: number;
  kind: 'SNAPSHOT' | 'RESET' | 'CHANGE';
}

export class Follower<T extends Told> {
  /** All that it was told, in the order in which it came. */
  readonly told: T[] = [];
  /** How often it has got a connection. */
  connections = 0;
  /** Why it gave up, if it did. */
  failure?: unknown;
  readonly #client: Client;

  /** @param waitMs before it comes back: time in which things happen that it is not told. */
  constructor(url: string, token: string, query: string, variables: Record<string, unknown>, waitMs: number) {
    this.#client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, waitMs)),
      on: { connected: () => this.connections++ },
    });
    void this.#follow(query, { ...variables }).catch((error: unknown) => {
      this.failure = error;
    });
  }

  async #follow(query: string, variables: Record<string, unknown>): Promise<void> {
    for await (const { data, errors } of this.#client.iterate<Record<string, T>>({ query, variables })) {
      if (errors) throw new Error(JSON.stringify(errors));
      const [event] = Object.values(data!) as [T];
      // The request is written anew on each connection.
      variables.after = event.sequence;
      this.told.push(event);
    }
  }

  async stop(): Promise<void> {
    await this.#client.dispose();
  }
}
