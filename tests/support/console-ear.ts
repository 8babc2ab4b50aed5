/** What a console is told over its socket, read beside the page. */
import type { Page } from 'playwright-core';
import type { Told } from './follower.ts';

export interface Ear {
  /** All events of a subscription, by its field, in the order in which they came. */
  told<T extends Told>(field: string): T[];
  /** How often the page got a connection. */
  readonly connections: number;
}

/** To be called before the page is opened. */
export function listen(page: Page): Ear {
  const heard: Record<string, Told[]> = {};
  let connections = 0;
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const { type, payload: result } = JSON.parse(String(payload)) as { type: string; payload?: { data?: object } };
      if (type === 'connection_ack') connections++;
      if (type !== 'next') return;
      for (const [field, event] of Object.entries(result?.data ?? {})) {
        heard[field] ??= [];
        heard[field].push(event);
      }
    }),
  );
  return {
    told: <T extends Told>(field: string) => (heard[field] ?? []) as T[],
    get connections() {
      return connections;
    },
  };
}
