/** The steps of a move before the switch: the tenant is read and written as ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { refuseWithoutRoom } from '../../db/disk-space.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { belongTo } from '../../db/end-sessions.ts';
import { copyState, lagOf, markPlace, publish, readinessOf, subscribe } from '../../db/replication.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { arrivingName, templateName } from '../../db/tenant-names.ts';
import { CONNECTION_LIMIT, roleStatements } from '../../db/tenant-roles.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { allTablesOf, schemaVersionOf } from '../backup/tables.ts';
import { StepFailure } from '../durable-run.ts';
import { compare } from './compare.ts';
import { unready } from './readiness.ts';
import { detach, drop } from './remove-steps.ts';
import { isMarked, markOf } from './standing.ts';
import { administer, alone, pause, replicationPassword, type Step, type StepContext } from './step.ts';

const quote = pg.escapeIdentifier;
/** A copy that is so little behind is switched to within a second. */
const CLOSE_MS = 1000;
/** After so many errors of the copy an attempt is given up. */
const MOST_ERRORS = 3;
/** Of the time for which the tenant may not be written, the comparison of both databases may take so much. */
const COMPARING = 0.7;

export const prepare: Step = async (context) => {
  const { sessions, source, target, name } = context;
  const look = async (server: TenantCluster) => ({
    name: server.name,
    readiness: await readinessOf(await administer(context, server)),
  });
  const reason = unready(await look(source), await look(target));
  if (reason) throw new StepFailure(reason);
  const client = await sessions.in(source, name);
  await clearLeft(context, client);
  const tables = (await allTablesOf(client)).map((table) => table.name);
  const { rows: keyless } = await client.query<{ name: string }>(
    `select relname as name from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace
        and relname = any($1) and relreplident = 'd'
        and not exists (select from pg_index where indrelid = c.oid and indisprimary)`,
    [tables],
  );
  if (keyless[0]) {
    throw new StepFailure(`The table ${keyless[0].name} has no primary key, so that its changes cannot be followed.`);
  }
  await belongTo(client, name);
  await publish(client, { database: name, password: replicationPassword(context), code: source.code, tables });
  await context.report({ tables: tables.length, bytes: await sizeOf(client) });
  return undefined;
};

/** Removes what an earlier move has left on either server, which was ended without it. @param client in the database in use. */
async function clearLeft(context: StepContext, client: pg.ClientBase): Promise<void> {
  const { target, name } = context;
  await detach(client, name);
  if (await isMarked(await administer(context, target), name)) await drop(context, target);
}

/** @param names absent: of all tables. */
async function sizeOf(client: pg.ClientBase, names?: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    `select coalesce(sum(pg_table_size(oid)), 0)::float8 as bytes from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'mikro_orm_migrations'
        and ($1::text[] is null or relname = any($1))`,
    [names ?? null],
  );
  return rows[0]!.bytes;
}

export const createDatabase: Step = async (context) => {
  const { services, sessions, orgId, source, target, name } = context;
  const { sealedPassword } = await services.control.orm.em.fork().findOneOrFail(TenantDatabase, { orgId });
  await target.prepare();
  const role = await roleStatements(target.code, name, services.keys.open(sealedPassword));
  const bytes = await sizeOf(await sessions.in(source, name));
  await alone(context, target, async (client) => {
    const { rowCount: hasRole } = await client.query('select from pg_roles where rolname = $1', [name]);
    await client.query(hasRole ? role.alter : role.create);
    await belongTo(client, name);
    const { rows } = await client.query<{ mark: string | null; broken: boolean }>(
      `select shobj_description(oid, 'pg_database') as mark, datconnlimit = -2 as broken from pg_database where datname = $1`,
      [name],
    );
    if (rows[0] && rows[0].mark !== markOf(name)) {
      throw new StepFailure(
        `Server ${target.name} has a database ${name} that no move has made: look into it, and drop it if nobody needs it.`,
      );
    }
    // What a DROP that was cut short leaves can only be dropped.
    if (rows[0]?.broken) await client.query(`drop database ${quote(name)}`);
    if (!rows[0] || rows[0].broken) {
      await refuseWithoutRoom(client, templateName(target.code), bytes);
      // It has its name only together with its mark: a worker may die between any two statements.
      const arriving = quote(arrivingName(name));
      await dropDatabase(client, arrivingName(name));
      await client.query(
        `create database ${arriving} template ${quote(templateName(target.code))}
           allow_connections false connection limit ${CONNECTION_LIMIT}`,
      );
      await client.query(
        `comment on database ${arriving} is ${pg.escapeLiteral(markOf(name))};
         alter database ${arriving} rename to ${quote(name)}`,
      );
    }
    // Rights on the template are not copied, so the copy is closed before it is opened.
    await client.query(
      `revoke all on database ${quote(name)} from public;
       grant connect on database ${quote(name)} to ${quote(name)};
       alter database ${quote(name)} allow_connections true`,
    );
  });
  return undefined;
};

export const copy: Step = async (context) => {
  const { sessions, source, target, name } = context;
  const [from, to] = await Promise.all([sessions.in(source, name), sessions.in(target, name)]);
  if ((await schemaVersionOf(from)) !== (await schemaVersionOf(to))) {
    throw new StepFailure('The tenant is not at the schema version of new ones; bring it up to date first.');
  }
  if ((await copyState(to, name)).tables === 0) {
    const tables = (await allTablesOf(to)).map((table) => quote(table.name));
    await to.query(`truncate ${tables.join(', ')}`);
    await follow(to, context, source, target, true);
  }
  const before = (await copyState(to, name)).errors;
  for (;;) {
    const { tables, copied, bytesUnderWay, done, errors } = await copyState(to, name);
    const bytes = await sizeOf(from);
    // What is under way is counted as text, which takes up more room than it does in a table, or less.
    const bytesCopied = Math.min(bytes, (await sizeOf(from, done)) + bytesUnderWay);
    await context.report({ tables, tablesCopied: copied, bytes, bytesCopied });
    if (copied === tables) return undefined;
    if (errors - before >= MOST_ERRORS) {
      throw new StepFailure(`Server ${target.name} could not write what it was sent; its own log says why.`);
    }
    await pause(context);
  }
};

/** Lets the database on one server follow that on another. */
export async function follow(
  client: pg.ClientBase,
  context: StepContext,
  leader: TenantCluster,
  follower: TenantCluster,
  withCopy: boolean,
): Promise<void> {
  const from = { url: leader.url, database: context.name, password: replicationPassword(context) };
  await subscribe(client, from, withCopy).catch((error: Error) => {
    if (!/could not connect/.test(error.message)) throw error;
    const { host } = new URL(leader.url);
    throw new StepFailure(
      `Server ${follower.name} cannot reach server ${leader.name} at ${host}: both have to be registered by addresses that they ` +
        'can reach each other by.',
      { cause: error },
    );
  });
}

export const catchUp: Step = async (context) => {
  const { sessions, source, target, name } = context;
  const [from, to] = await Promise.all([sessions.in(source, name), sessions.in(target, name)]);
  while (!(await reaches(context, from, await markPlace(from), CLOSE_MS))) await pause(context);
  const tables = (await allTablesOf(to)).map((table) => table.name);
  // What is written there from the switch on is kept, so that the former database can follow.
  await publish(to, { database: name, password: replicationPassword(context), code: target.code, tables });
  const most = context.maxReadOnlyMs * COMPARING;
  await compare(from, to, most).catch((error: { code?: string }) => {
    if (error.code !== '57014') throw error;
    throw new StepFailure(
      `Comparing both databases takes more than ${Math.round(most / 1000)} s, for which the tenant would not be written: ask for the ` +
        'move anew with a larger maxReadOnlySeconds.',
    );
  });
  return undefined;
};

/** Waits for the one that follows to have everything up to a place. @returns false after that time. */
export async function reaches(
  context: StepContext,
  from: pg.ClientBase,
  place: string,
  patienceMs: number,
): Promise<boolean> {
  for (const deadline = performance.now() + patienceMs; ; await sleep(20)) {
    const lag = await lagOf(from, context.name, place);
    if (!lag || lag.lost) {
      throw new StepFailure(
        'The server no longer has the changes that the copy lacks: cancel the move, and ask for it anew.',
      );
    }
    if (lag.reached) {
      await context.report({ lagBytes: 0 });
      return true;
    }
    await context.report({ lagBytes: lag.lagBytes });
    if (performance.now() > deadline) return false;
  }
}
