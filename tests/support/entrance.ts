import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port that leads to another one of this machine, and can be shut or blocked. */
export interface Entrance {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  close(): Promise<void>;
  /** After `close`, on the same port. */
  reopen(): Promise<void>;
  /** From now on nothing comes through, in either direction, and no connection breaks. */
  freeze(): void;
  /** After `freeze`: what was held back comes through, and all that follows. */
  thaw(): void;
  /**
   * Connections whose first words hold this text are never heard of again, at neither end, and do not break; others, and new
   * ones, come through.
   */
  strand(text: string): void;
}

/** @param port to listen on; a free one otherwise. */
export async function openEntrance(target: number, port = 0): Promise<Entrance> {
  const sockets = new Set<Socket>();
  const beginnings = new Map<Socket, { inside: Socket; text: string }>();
  let server: Server;
  let frozen = false;
  const open = async (wanted: number) => {
    server = createServer((client) => {
      const inside = connect(target, '127.0.0.1');
      beginnings.set(client, { inside, text: '' });
      client.once('data', (bytes) => beginnings.set(client, { inside, text: bytes.toString('latin1') }));
      client.once('close', () => beginnings.delete(client));
      for (const [socket, other] of [
        [client, inside],
        [inside, client],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => sockets.delete(socket));
        socket.pipe(other);
        if (frozen) socket.pause();
      }
    });
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const opened = await open(port);
  return {
    port: opened,
    async close() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
    async reopen() {
      await open(opened);
    },
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    strand(text) {
      for (const [client, { inside, text: first }] of beginnings) {
        if (!first.includes(text)) continue;
        for (const [socket, other] of [
          [client, inside],
          [inside, client],
        ] as const) {
          socket.unpipe(other);
          socket.resume();
        }
      }
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
  };
}
