/**
 * A few databases of a server that are copied from the template, and seeded, before anybody asks for one, each with its login role. A
 * tenant's provisioning takes one by renaming both, in the transaction that records it (docs/decisions/0028).
 *
 * A tenant without a first admin is active after 0.4 of the time of a bare copy of the template, one with an admin after 0.8.
 *
 * There is no list of them but the server's catalog: a name says what a database is. One that is being prepared has another
 * name than one that is ready, which is closed as a template is: nobody is connected to what is to be renamed.
 */
import { randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import pg from 'pg';
import type { Logger } from 'pino';
import { query, rowsWithin, SESSION_OPTIONS } from './control.ts';
import { refuseWithoutRoom } from './disk-space.ts';
import { dropDatabase } from './drop-database.ts';
import { LOCKS } from './locks.ts';
import { scramVerifier } from './scram.ts';
import type { TenantCluster } from './tenant-cluster.ts';
import { groupName, preparingName, templateName, warmName, warmPrefix } from './tenant-names.ts';
import { CONNECTION_LIMIT, roleSettings } from './tenant-roles.ts';

const quote = pg.escapeIdentifier;

/** What a prepared database starts with, besides the template's tables. */
export interface WarmSeeds {
  /** Hex digits; two processes whose seeds differ do not take each other's databases. */
  readonly digest: string;
  write(client: pg.ClientBase): Promise<void>;
}

/** How the stock is, for those who keep it. */
export interface Stock {
  /** What this process can take. */
  ready: string[];
  /** What a crash, an older version or other seeds have left. */
  useless: string[];
}

/** Runs SQL in a transaction; several statements in one text where there are no values. */
type Run = <Row>(text: string, values?: unknown[]) => Promise<Row[]>;

const inTransactionOf =
  (em: EntityManager): Run =>
  <Row>(text: string, values?: unknown[]) =>
    values
      ? rowsWithin<Row>(em, query('take_prepared', text), values)
      : em.getConnection().execute<Row[]>(text, [], 'all', em.getTransactionContext());

const on =
  (client: pg.ClientBase): Run =>
  async <Row>(text: string, values?: unknown[]) =>
    (await client.query(text, values)).rows as Row[];

export class WarmDatabases {
  readonly #server: TenantCluster;
  readonly #code: string;
  readonly #seeds: WarmSeeds;
  readonly #log: Logger;

  constructor(server: TenantCluster, seeds: WarmSeeds, log: Logger) {
    this.#server = server;
    this.#code = server.code;
    this.#seeds = seeds;
    this.#log = log;
  }

  /** Every one that is ready begins with this. */
  get #kind(): string {
    return warmName(this.#code, this.#seeds.digest, '');
  }

  /**
   * Makes one of the home server's the tenant's, in the manager's transaction: a rollback gives it back. Whoever has the lock on its
   * name has it, until the commit.
   *
   * @param name of the database and of the role.
   * @returns whether there was one; where there is a database or a role of the name already, none is taken.
   */
  take(em: EntityManager, name: string, password: string): Promise<boolean> {
    return this.#take(inTransactionOf(em), name, password);
  }

  /**
   * The same on another server, in a transaction of its own: what is taken is to be recorded after that, and where a crash comes
   * between the two, it is there already when it is to be made again.
   *
   * @throws when nobody wants it any more.
   */
  takeElsewhere(name: string, password: string): Promise<boolean> {
    return this.#server.alone(name, async (client) => {
      await this.#server.refuseUnwanted(client, name);
      await client.query('begin');
      const taken = await this.#take(on(client), name, password);
      await client.query('commit');
      return taken;
    });
  }

  async #take(run: Run, name: string, password: string): Promise<boolean> {
    const [found] = await run<{ warm: string }>(
      `select datname as warm from (select datname from pg_database join pg_roles on rolname = datname
          where starts_with(datname, $1) and datconnlimit <> -2 offset 0) ready
        where pg_try_advisory_xact_lock($2, hashtext(datname)) limit 1`,
      [this.#kind, LOCKS.tenantDatabase],
    );
    if (!found) return false;
    // A worker that was cut off may still be at making this tenant's; and the list above may be older than the lock.
    const [free] = await run(
      `select from pg_database where datname = $1 and not exists (select from pg_database where datname = $2)
          and pg_try_advisory_xact_lock($3, hashtext($2))`,
      [found.warm, name, LOCKS.tenantDatabase],
    );
    return free !== undefined && (await this.#rename(run, found.warm, name, await scramVerifier(password)));
  }

  async #rename(run: Run, warm: string, name: string, verifier: string): Promise<boolean> {
    try {
      // No GRANT of the group: it would make all who take one wait for each other until the commit.
      await run(`savepoint take;
        alter database ${quote(warm)} rename to ${quote(name)};
        alter role ${quote(warm)} rename to ${quote(name)};
        alter role ${quote(name)} login password ${pg.escapeLiteral(verifier)};
        alter database ${quote(name)} allow_connections true;
        release savepoint take`);
      return true;
    } catch (error) {
      // Then it is made as if there were none. Where the transaction itself is lost, this throws.
      await run('rollback to savepoint take');
      this.#log.warn({ err: error, database: warm }, 'a prepared database could not be taken');
      return false;
    }
  }

  async stock(): Promise<Stock> {
    const { rows } = await this.#server.pool.query<{ name: string; ready: boolean }>(
      `select coalesce(datname, rolname) as name,
              coalesce(starts_with(datname, $2) and datconnlimit <> -2 and rolname is not null, false) as ready
         from (select datname, datconnlimit from pg_database where starts_with(datname, $1)) d
         full join (select rolname from pg_roles where starts_with(rolname, $1)) r on rolname = datname order by 1`,
      [warmPrefix(this.#code), this.#kind],
    );
    const names = (ready: boolean) => rows.filter((row) => row.ready === ready).map(({ name }) => name);
    return { ready: names(true), useless: names(false) };
  }

  /**
   * Runs the work while no other process changes the stock. The lock is the session's: where a process dies, the server
   * goes on with its CREATE DATABASE, and what it leaves is not to be taken for left before.
   *
   * @returns false when another process is at it.
   */
  async alone(work: (client: pg.ClientBase) => Promise<void>): Promise<boolean> {
    const client = await this.#server.pool.connect();
    let failed = true;
    try {
      const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1, 0) as mine', [
        LOCKS.warmDatabases,
      ]);
      if (rows[0]?.mine) {
        await work(client);
        await client.query('select pg_advisory_unlock($1, 0)', [LOCKS.warmDatabases]);
      }
      failed = false;
      return rows[0]?.mine === true;
    } finally {
      client.release(failed);
    }
  }

  /** Prepares one more. To be called alone. @throws {DiskFull} */
  async add(client: pg.ClientBase): Promise<void> {
    await refuseWithoutRoom(client, templateName(this.#code));
    const random = randomBytes(4).toString('hex');
    const draft = preparingName(this.#code, random);
    await client.query(
      `create database ${quote(draft)} template ${quote(templateName(this.#code))}
         allow_connections false connection limit ${CONNECTION_LIMIT}`,
    );
    await client.query(
      `create role ${quote(draft)} nologin connection limit ${CONNECTION_LIMIT};
       ${roleSettings(draft)};
       grant ${quote(groupName(this.#code))} to ${quote(draft)};
       revoke all on database ${quote(draft)} from public;
       grant connect on database ${quote(draft)} to ${quote(draft)};
       alter database ${quote(draft)} allow_connections true`,
    );
    await this.#seed(draft);
    const ready = quote(warmName(this.#code, this.#seeds.digest, random));
    // Waits for the connection to be gone on the server's side as well.
    await client.query(
      `alter database ${quote(draft)} allow_connections false;
       alter database ${quote(draft)} rename to ${ready};
       alter role ${quote(draft)} rename to ${ready}`,
    );
  }

  /**
   * The first connection to a new database builds the server's cache file for it, and the first rows of a table make its
   * files: the tenant's first connection then takes half as long, and its seeds a quarter.
   */
  async #seed(database: string): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#server.urlOf(database),
      options: SESSION_OPTIONS,
      connectionTimeoutMillis: 15_000,
      query_timeout: 60_000,
      application_name: 'omnistream prepares',
    });
    client.on('error', () => {});
    await client.connect();
    try {
      await this.#seeds.write(client);
    } finally {
      await client.end();
    }
  }

  /** Removes one, unless it has been taken meanwhile. To be called alone. */
  async remove(client: pg.ClientBase, database: string): Promise<void> {
    await dropDatabase(client, database);
    await client.query(`drop role if exists ${quote(database)}`);
  }
}
