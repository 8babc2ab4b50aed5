import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port that leads to another one of this machine, and can be shut or blocked. */
export interface Entrance {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  close(): Promise<void>;
  /** After `close`, on the same port. @param target where it leads from now on. */
  reopen(target?: number): Promise<void>;
  /**
   * From now on nothing comes through, in either direction, and no connection breaks.
   *
   * @param only those whose first bytes hold this text, such as the application_name of a session of PostgreSQL.
   */
  freeze(only?: string): void;
  /** After `freeze`: what was held back comes through, and all that follows. */
  thaw(): void;
  /**
   * Connections whose first words hold this text are never heard of again, at neither end, and do not break; others, and new
   * ones, come through.
   */
  strand(text: string): void;
}

interface Connection {
  hello: string;
  ends: readonly [client: Socket, inside: Socket];
}

/** An entrance to a server of this machine. @param url of it, such as of a database. @returns also the URL that leads through. */
export async function entranceTo(url: string): Promise<{ entrance: Entrance; url: string }> {
  const through = new URL(url);
  const entrance = await openEntrance(Number(through.port));
  through.port = String(entrance.port);
  return { entrance, url: through.href };
}

/** @param port to listen on; a free one otherwise. */
export async function openEntrance(target: number, port = 0): Promise<Entrance> {
  /** Each with its connection: the first bytes that the client has sent, and both ends. */
  const sockets = new Map<Socket, Connection>();
  let server: Server;
  let frozen: string | undefined;
  const isFrozen = ({ hello }: Connection) => frozen !== undefined && hello.includes(frozen);
  const open = async (wanted: number) => {
    server = createServer((client) => {
      const inside = connect(target, '127.0.0.1');
      const connection: Connection = { hello: '', ends: [client, inside] };
      client.once('data', (bytes) => {
        connection.hello = bytes.toString('latin1');
        // What is answered to it is held back.
        if (isFrozen(connection)) for (const socket of connection.ends) socket.pause();
      });
      for (const [socket, other] of [
        [client, inside],
        [inside, client],
      ] as const) {
        sockets.set(socket, connection);
        socket.on('error', () => other.destroy());
        socket.on('close', () => sockets.delete(socket));
        socket.pipe(other);
        if (isFrozen(connection)) socket.pause();
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
      for (const socket of sockets.keys()) socket.destroy();
      await once(server, 'close');
    },
    async reopen(next = target) {
      target = next;
      await open(opened);
    },
    freeze(only = '') {
      frozen = only;
      for (const [socket, connection] of sockets) if (isFrozen(connection)) socket.pause();
    },
    strand(text) {
      for (const [socket, { hello, ends }] of sockets) {
        if (!hello.includes(text)) continue;
        for (const other of ends) socket.unpipe(other);
        socket.resume();
      }
    },
    thaw() {
      frozen = undefined;
      for (const socket of sockets.keys()) socket.resume();
    },
  };
}
