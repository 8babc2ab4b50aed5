/** The control-plane database: one ORM for writing, its pool with prepared statements for reading. */

import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { Migrator } from '@mikro-orm/migrations';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { ClientBase, Pool } from 'pg';
import type { Logger } from 'pino';
import { controlEntities } from '../entities/control/index.ts';
import { controlMigrations } from './migrations/control/index.ts';
import { PointReads } from './point-reads.ts';
import { guardPool } from './pools.ts';
import { Client } from './row-parser.ts';
import { RowsQuery } from './rows-query.ts';

/** A statement that is prepared once per connection. `text` uses `$1`, `$2`, ... */
export interface Query<Row> {
  readonly name: string;
  readonly text: string;
  /** Its turn, and then its answer, are waited for so many milliseconds; only for tenants' databases. */
  readonly timeoutMs?: number;
  /** Only for the compiler: what a row looks like. */
  readonly row?: Row;
}

export const query = <Row>(name: string, text: string, timeoutMs?: number): Query<Row> => ({ name, text, timeoutMs });

/** Anything that runs SQL with `$1` placeholders. */
export interface Sql {
  rows<Row>(query: Query<Row>, values: unknown[]): Promise<Row[]>;
}

/** Of a pool, each statement by itself and prepared. */
export const sqlOf = (pool: Pool): Sql => ({
  async rows<Row>({ name, text }: Query<Row>, values: unknown[]) {
    const statement = new RowsQuery<Row>({ name, text, values });
    await pool.query(statement);
    return statement.made;
  },
});

interface KyselyLike {
  executeQuery(query: unknown): Promise<{ rows: unknown[] }>;
}

/**
 * Reads plain rows on the manager's transaction if it is in one, else as a prepared statement of the pool.
 *
 * MikroORM writes values into the SQL text, so that nothing it sends is ever prepared; reading entities costs four to
 * six times the CPU of this (docs/decisions/0002).
 */
export function readRows<Row>(em: EntityManager, pool: Pool, statement: Query<Row>, values: unknown[]): Promise<Row[]> {
  return em.isInTransaction() ? rowsWithin(em, statement, values) : sqlOf(pool).rows(statement, values);
}

/** Runs a statement in the manager's transaction, past its unit of work. */
export async function rowsWithin<Row>(
  em: EntityManager,
  { name, text }: Query<Row>,
  values: unknown[],
): Promise<Row[]> {
  const compiled = { sql: text, parameters: values, query: { kind: 'RawNode' }, queryId: { queryId: name } };
  return (await em.getTransactionContext<KyselyLike>()!.executeQuery(compiled)).rows as Row[];
}

/** The same server by the same road, another of its databases. */
export function databaseUrlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

export interface ControlDatabase {
  readonly orm: MikroORM;
  readonly pool: Pool;
  /** Outside of transactions. */
  readonly points: PointReads;
  readonly url: string;
  close(): Promise<void>;
}

/** A session, or whatever takes one for a statement. */
export type Queryable = Pick<ClientBase, 'query'>;

/** Every connection speaks UTC, so that timestamps arrive in one form (schema/scalars.ts). */
export const SESSION_OPTIONS = '-c timezone=UTC';

/**
 * For sessions of long work: the server ends one in less than a minute whose other end it does not hear of, as where a network is cut. By
 * itself it takes hours, in which the session keeps its locks and its snapshot.
 */
export const KEPT_ALIVE = '-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4';

/** The options of a session that is to change nothing, not even by mistake. */
export const readOnlySession = (name: string) =>
  `${SESSION_OPTIONS} -c default_transaction_read_only=on -c application_name=${name}`;

/**
 * A writer that hangs between two statements, or waits for one that does, is ended: others wait for its locks, on every
 * process.
 */
const CONTROL_OPTIONS = `${SESSION_OPTIONS} -c idle_in_transaction_session_timeout=10s -c lock_timeout=10s`;

export async function openControl(url: string, log: Logger, poolSize = 20): Promise<ControlDatabase> {
  // Not `MikroORM.init`: it looks for packages that might be there, and loads a second ORM where it finds them beside the bundle.
  const orm = new MikroORM({
    clientUrl: url,
    entities: controlEntities,
    extensions: [Migrator],
    metadataProvider: ReflectMetadataProvider,
    forceUtcTimezone: true,
    logger: (message) => log.debug(message),
    ensureDatabase: false,
    colors: false,
    ignoreUndefinedInQuery: true,
    // idleTimeoutMillis: the default of ten seconds would drop the prepared statements with the connection.
    pool: { min: 0, max: poolSize, idleTimeoutMillis: 0 },
    driverOptions: {
      // Carries what follows the `?`, such as sslmode, which clientUrl does not.
      connectionString: url,
      options: CONTROL_OPTIONS,
      // Also how long a request waits in line for a connection: a burst of two hundred writes is served, not refused.
      connectionTimeoutMillis: 15_000,
      application_name: 'omnistream',
      keepAlive: true,
      Client,
      onPoolCreated: (pool: Pool) => guardPool(pool, { name: 'control' }),
    },
    migrations: { migrationsList: controlMigrations, snapshot: false },
  });
  const pool = (await orm.em.getConnection().getNativeClient()) as Pool;
  return {
    orm,
    pool,
    points: new PointReads(sqlOf(pool)),
    url,
    async close() {
      await orm.close(true);
      // One that the ORM itself never used is left open by it.
      if (!pool.ended) await pool.end();
    },
  };
}
