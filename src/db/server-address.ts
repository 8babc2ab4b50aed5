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
}
