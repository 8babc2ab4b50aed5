/** The servers beside the gateway, each started when it is first needed. */
import { join } from 'node:path';
import type { Platform } from './platform.ts';
import { COLLECTS, Server } from './servers.ts';

const at = (...path: string[]) => join(import.meta.dirname, 'peers', ...path);
/** For those that use the product's classes, whose decorators Node does not read by itself. */
const WITH_DECORATORS = ['--import', at('decorators.ts')];

const PEERS = {
  ceiling: [at('ceiling', 'main.ts')],
  plain: [...WITH_DECORATORS, at('plain.ts')],
  postgraphile: [at('postgraphile.mjs')],
  mercurius: [...WITH_DECORATORS, at('mercurius.mjs')],
  yoga: [...WITH_DECORATORS, at('yoga.mjs')],
} as const satisfies Record<string, readonly string[]>;

export type Peer = keyof typeof PEERS;
export type ServerName = 'gateway' | Peer;

export class Fleet {
  readonly #platform: Platform;
  readonly #peers = new Map<Peer, Promise<Server>>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Started, and running until it is told to pause. */
  server(name: ServerName): Promise<Server> {
    if (name === 'gateway') return Promise.resolve(this.#platform.gateway);
    let peer = this.#peers.get(name);
    if (!peer) {
      const { databases, jwtSecret } = this.#platform;
      peer = this.#start(name, PEERS[name], { DATABASE_URL: databases.peers, JWT_SECRET: jwtSecret });
      this.#peers.set(name, peer);
    }
    return peer;
  }

  /** Sends the text to whoever is connected, woken by the gateway's events. */
  bareSockets(text: string): Promise<Server> {
    return this.#start('bare-ws', [...COLLECTS, at('bare-ws.ts')], {
      DATABASE_URL: this.#platform.databases.gateway,
      READY_TEXT: text,
    });
  }

  #start(name: string, args: readonly string[], env: Record<string, string>): Promise<Server> {
    const { folder, pins } = this.#platform;
    return Server.start({ name, args: [...args], log: join(folder, `${name}.log`), cores: pins.server, env });
  }
}
