/**
 * Loaded into a gateway that clients are to leave: on SIGUSR2 it collects its garbage and says on standard output what is
 * left of that which each client brings along.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectGarbage } from './garbage.ts';

type Ask = (...args: unknown[]) => Promise<unknown>;
const { Feed } = (await import(pathToFileURL(join(dirname(process.argv[1]!), 'live', 'feed.js')).href)) as {
  Feed: { prototype: { next: Ask; each: Ask } };
};
/** Feeds that somebody has asked for something. */
const feeds = new Set<WeakRef<object>>();
const known = new WeakSet<object>();
for (const way of ['next', 'each'] as const) {
  const ask = Feed.prototype[way];
  Feed.prototype[way] = function (this: object, ...args) {
    if (!known.has(this)) {
      known.add(this);
      feeds.add(new WeakRef(this));
    }
    return ask.apply(this, args);
  };
}

/** Connections that came in. The gateway's own to PostgreSQL are kept for good, as many as were ever needed at one time. */
const clients = new Set<Socket>();
subscribe('net.server.socket', (message) => {
  const { socket } = message as { socket: Socket };
  clients.add(socket);
  socket.once('close', () => clients.delete(socket));
});

process.on('SIGUSR2', () => {
  collectGarbage();
  for (const feed of feeds) if (!feed.deref()) feeds.delete(feed);
  const resources = Object.groupBy(process.getActiveResourcesInfo(), (name) => name);
  const count = (name: string) => resources[name]?.length ?? 0;
  const census = {
    iterators: feeds.size,
    timers: count('Timeout'),
    sockets: clients.size,
    heap: process.memoryUsage().heapUsed / 2 ** 20,
  };
  process.stdout.write(`census ${JSON.stringify(census)}\n`);
});
