/** Whom a request comes from, and how: as its connection says, or as proxies do that are trusted. */
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { Config } from './config.ts';

export class Proxies {
  /** Whether what an address says of others is believed; as Fastify's `trustProxy` takes it. */
  readonly trust: false | ((address: string, hop: number) => boolean);

  constructor({ trustProxy }: Pick<Config, 'trustProxy'>) {
    this.trust = trustProxy ? proxyAddr.compile([...trustProxy]) : false;
  }

  /** The client's network address; empty where the connection has been reset by now. */
  addressOf(request: IncomingMessage): string {
    return (this.trust ? proxyAddr(request, this.trust) : request.socket.remoteAddress) ?? '';
  }

  /** Whether the client speaks TLS, to a trusted proxy: this process itself speaks none. */
  speakTls({ headers, socket }: IncomingMessage): boolean {
    const said = headers['x-forwarded-proto'];
    if (!this.trust || said === undefined) return false;
    return String(said).split(',').at(-1)!.trim() === 'https' && this.trust(socket.remoteAddress ?? '', 0);
  }
}
