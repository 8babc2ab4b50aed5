import type { ServerLiveness } from './server-liveness.ts';

/** How a server is known, and reached. */
export interface ServerAddress {
  readonly id: string;
  readonly name: string;
  /** Of its maintenance database, as a role that may create databases and roles; of the home server, the control database's. */
  readonly url: string;
}

/** A pooler in front of a server, for tenants' ordinary work. */
export interface Pooler {
  readonly url: string;
  /** Whether it keeps clients' prepared statements. */
  readonly prepares: boolean;
  /** Whether it answers: one that hangs says nothing of itself, and the server behind it is as well as ever. */
  readonly liveness: ServerLiveness;
}

/** The address of a pooler for the role and the database of a server's own: a tenant's take their place for its work. */
export function pooledAs(serverUrl: string, pooledUrl: string): string {
  const { username, password, pathname } = new URL(serverUrl);
  return Object.assign(new URL(pooledUrl), { username, password, pathname }).href;
}
