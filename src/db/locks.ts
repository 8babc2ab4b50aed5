/**
 * Advisory locks, in the control database unless they say otherwise: they and NOTIFY are per database. First key of the two-key
 * form.
 */
export const LOCKS = {
  /** Setting up the control database; held by one starting process at a time. */
  setup: 0x6f6d_0001,
  /** Held by the one process that does the periodic work. */
  leader: 0x6f6d_0002,
  /** Appending to the event log, so that sequence numbers commit in order. */
  eventLog: 0x6f6d_0003,
  /** One per worker session; the second key is the session's number. */
  worker: 0x6f6d_0004,
  /** One per tenant's database, prepared ones included, while it is made, taken or dropped, on its server; the second key is a hash of its name. */
  tenantDatabase: 0x6f6d_0006,
  /** Changing the stock of prepared databases of a server, on that server. */
  warmDatabases: 0x6f6d_0028,
  /** Looking for a server for a new tenant where there is little room left. */
  placement: 0x6f6d_0029,
  /** Making or taking away what tenants need on a database server; the second key is a hash of its system identifier. */
  databaseServer: 0x6f6d_0040,
  /** One per tenant, while accounts of its agents are changed; the second key is a hash of the tenant's id. */
  tenantAccounts: 0x6f6d_0007,
  /** Taking a sample of the components' health. */
  healthSample: 0x6f6d_0034,
  /** Starting an upgrade of tenants' schemas. */
  upgrades: 0x6f6d_0031,
  /** Changing the secret that all keys are derived from; held by the command. */
  rootSecret: 0x6f6d_0039,
  /** One per Idempotency-Key; the second key is a hash of it. */
  idempotency: 0x6f6d_0005,
} as const;

/** SQL for how many processes that run jobs are alive: each holds a lock while its connection stands. */
export const LIVING_WORKERS = `(
  select count(*)::int from pg_locks
   where locktype = 'advisory' and classid = ${LOCKS.worker} and granted
     and database = (select oid from pg_database where datname = current_database()))`;
