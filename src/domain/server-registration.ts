/** Registering database servers, changing and removing them. Each is looked at before anything is written. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import { newId, nowDate } from '../clock.ts';
import { type ControlDatabase, query, rowsWithin } from '../db/control.ts';
import type { DatabaseServers } from '../db/database-servers.ts';
import type { Keys } from '../db/keys.ts';
import { LOCKS } from '../db/locks.ts';
import { pooledAs } from '../db/server-address.ts';
import { checkOwnership, checkPooler, checkServer, hostOf, missingDatabases, UnfitServer } from '../db/server-check.ts';
import { clearServer } from '../db/server-upkeep.ts';
import { HOME_SERVER_ID, DatabaseServer as Row, ServerState } from '../entities/control/database-server.ts';
import { UNFINISHED_MOVE } from '../entities/control/tenant-move.ts';
import { AppError, invalid, notFound } from '../errors.ts';
import { publish } from '../live/event-log.ts';
import { type AuditSource, audit } from './audit.ts';

/** Who changes servers, and with what. */
export interface Registrar {
  em: EntityManager;
  control: Pick<ControlDatabase, 'url' | 'pool'>;
  servers: DatabaseServers;
  keys: Keys;
  log: Logger;
  source: AuditSource;
}

export interface NewServer {
  name: string;
  url: string;
  pooledUrl?: string | null;
  region?: string | null;
  capacity: number;
}

export interface ServerChanges {
  name?: string | null;
  url?: string | null;
  /** Null takes it away. */
  pooledUrl?: string | null;
  /** Null takes it away. */
  region?: string | null;
  capacity?: number | null;
  state?: ServerState | null;
}

/** What is told of a server in the audit log: nothing of its passwords. */
const told = ({ name, region, capacity, state }: Row, url?: string) => ({
  name,
  region: region ?? null,
  capacity,
  state,
  ...(url && { address: hostOf(url) }),
});

/**
 * Looks at a server, makes what tenants' databases need there, and opens it to new tenants. Where anything fails nothing stays
 * behind, there and here.
 *
 * @returns its id. @throws {AppError} validation_failed, conflict
 */
export async function registerServer(registrar: Registrar, input: NewServer): Promise<string> {
  const { em, keys, servers, source } = registrar;
  const { name, region = null, capacity } = input;
  const url = withDatabase(input.url);
  const id = newId();
  await servers.tryOut({ id, name, url }, (server) =>
    em.transactional(async (tx) => {
      await takeTime(tx);
      const { systemIdentifier } = await fit('url', checkServer(url));
      // Whoever registers the same server at this moment waits, and is refused; whoever gives it up clears it before, or not at all.
      await rowsWithin(tx, holdServer, [LOCKS.databaseServer, systemIdentifier]);
      await refuseKnown(tx, systemIdentifier);
      const pooler = await checkedPooler(registrar, input.pooledUrl, url, systemIdentifier);
      const now = nowDate();
      const times = { createdAt: now, updatedAt: now };
      const sealedUrl = keys.seal(url);
      const state = ServerState.OPEN;
      const row = tx.create(Row, {
        id,
        name,
        region,
        capacity,
        state,
        sealedUrl,
        systemIdentifier,
        ...pooler,
        ...times,
      });
      await tx.persist(row).flush();
      try {
        await server.prepare();
        audit(tx, source, {
          action: 'database_server.register',
          target: { type: 'database_server', id },
          after: told(row, url),
        });
        await publish(tx, 'database_server', { serverId: id });
      } catch (error) {
        await clearServer(server).catch(() => {});
        throw error;
      }
    }),
  );
  return id;
}

/** Looking at a server that is slow, and making the template there, takes longer than a transaction may otherwise. */
const LOOKING = '60s';
/** Fifty prepared databases are dropped one after the other; the lock is to last as long. */
const CLEARING = '15min';
/** For work on the server, and for others' that is waited for. */
const takeTime = (tx: EntityManager, time: typeof LOOKING | typeof CLEARING = LOOKING) =>
  tx.execute(`set local idle_in_transaction_session_timeout = '${time}'; set local lock_timeout = '${time}'`);

function withDatabase(url: string): string {
  const parsed = new URL(url);
  if (parsed.pathname === '' || parsed.pathname === '/') parsed.pathname = '/postgres';
  return parsed.href;
}

/** @throws {AppError} not_found, validation_failed, conflict */
export async function updateServer(registrar: Registrar, id: string, changes: ServerChanges): Promise<string> {
  const { em, source } = registrar;
  await em.transactional(async (tx) => {
    await takeTime(tx);
    const row = await lock(tx, id);
    const before = told(row);
    const addresses = await newAddresses(registrar, tx, row, changes);
    const { name, capacity, state, region } = changes;
    Object.assign(row, addresses, name && { name }, capacity && { capacity }, state && { state });
    if (region !== undefined) row.region = region;
    await tx.flush();
    const after = {
      ...told(row, changes.url ?? undefined),
      ...(changes.pooledUrl !== undefined && toldAs(changes.pooledUrl)),
    };
    audit(tx, source, { action: 'database_server.update', target: { type: 'database_server', id }, before, after });
    await publish(tx, 'database_server', { serverId: id });
  });
  return id;
}

/** Looks at what is to be another address. @returns the columns that change. @throws {AppError} validation_failed */
async function newAddresses(
  registrar: Registrar,
  tx: EntityManager,
  row: Row,
  { url, pooledUrl }: ServerChanges,
): Promise<Partial<Row>> {
  const { keys, control, servers } = registrar;
  if (url && row.id === HOME_SERVER_ID) {
    throw invalid('url', 'is fixed: the home server is where the control plane is, DATABASE_URL says');
  }
  if (!url && !pooledUrl) return pooledUrl === null ? WITHOUT_POOLER : {};
  const next = url ? withDatabase(url) : row.sealedUrl ? keys.open(row.sealedUrl) : control.url;
  const { systemIdentifier } = await fit(url ? 'url' : 'pooledUrl', checkServer(next));
  if (url && systemIdentifier !== row.systemIdentifier) await refuseAnother(tx, row, next, systemIdentifier);
  if (url) await fit('url', checkOwnership(next, servers.home.code));
  const pooler = pooledUrl === undefined ? {} : await checkedPooler(registrar, pooledUrl, next, systemIdentifier);
  return { ...(url && { sealedUrl: keys.seal(next), systemIdentifier }), ...pooler };
}

const databasesOn = query<{ name: string }>(
  'databases_on_server',
  `select d.database_name as name from tenant_databases d join organizations o on o.id = d.org_id
    where d.server_id = $1 and o.status <> 'provisioning' and o.archived_at is null
   union all
   select name from left_databases where server_id = $1 and not exists (select from tenant_databases where server_id = $1)`,
);

/**
 * After pg_upgrade, or restored as a whole, a server has another identifier: it is the same one where all of its tenants'
 * databases are on it; where it has none any more, those of removed tenants that are to be dropped yet.
 *
 * @throws {AppError} validation_failed, conflict
 */
async function refuseAnother(tx: EntityManager, { id }: Row, url: string, systemIdentifier: string): Promise<void> {
  await refuseKnown(tx, systemIdentifier);
  const names = (await rowsWithin(tx, databasesOn, [id])).map(({ name }) => name);
  const missing = names.length > 0 ? await fit('url', missingDatabases(url, names)) : names;
  if (names.length > 0 && missing.length === 0) return;
  const lacks =
    missing.length > 0 ? `, which lacks ${missing.length} of its ${names.length} tenants\u2019 databases` : '';
  throw invalid('url', `is another server${lacks}: register that one, and move the tenants`);
}

const WITHOUT_POOLER = { sealedPooledUrl: null, poolerPrepares: false };

const toldAs = (url?: string | null) => ({ pooledAddress: url ? hostOf(url) : null });

/**
 * Takes a server without tenants out of the registry, then removes what was made there for tenants to come.
 *
 * @throws {AppError} not_found, conflict
 */
export async function removeServer(registrar: Registrar, id: string): Promise<string> {
  const { em, keys, log, servers, source } = registrar;
  if (id === HOME_SERVER_ID) {
    throw new AppError('conflict', {
      message: 'The home server is the control plane\u2019s own and stays. It can be closed.',
    });
  }
  const { name, url, systemIdentifier } = await em.transactional(async (tx) => {
    const row = await lock(tx, id);
    await refuseInUse(tx, row);
    const left = await rowsWithin(tx, leftOn, [id]);
    tx.remove(row);
    audit(tx, source, {
      action: 'database_server.remove',
      target: { type: 'database_server', id },
      before: { ...told(row), ...(left.length > 0 && { leftDatabases: left.map(({ name }) => name) }) },
    });
    await publish(tx, 'database_server', { serverId: id });
    return { name: row.name, url: keys.open(row.sealedUrl!), systemIdentifier: row.systemIdentifier };
  });
  // One that is away for good can be removed as well.
  await em
    .fork()
    .transactional(async (tx) => {
      await takeTime(tx, CLEARING);
      await rowsWithin(tx, holdServer, [LOCKS.databaseServer, systemIdentifier]);
      // Whoever has registered it again meanwhile needs what is there.
      if ((await tx.count(Row, { systemIdentifier })) === 0) await servers.tryOut({ id, name, url }, clearServer);
    })
    .catch((error: unknown) => {
      log.warn(
        { err: error, server: name },
        'what was made on a database server for tenants to come was not all removed',
      );
    });
  return id;
}

const holdServer = query('hold_database_server', 'select pg_advisory_xact_lock($1, hashtext($2))');

const useOf = query<{ tenants: number; moves: number }>(
  'use_of_server',
  `select (select count(*)::int from tenant_databases where server_id = $1) as tenants,
          (select count(*)::int from tenant_moves m where $1 in (source_id, target_id) and ${UNFINISHED_MOVE}) as moves`,
);

/** Of removed tenants: nobody drops them any more. */
const leftOn = query<{ name: string }>(
  'left_on_server',
  'select name from left_databases where server_id = $1 order by name',
);

/** @throws {AppError} conflict */
async function refuseInUse(tx: EntityManager, { id, name }: Row): Promise<void> {
  const [{ tenants, moves } = { tenants: 0, moves: 0 }] = await rowsWithin(tx, useOf, [id]);
  const reason =
    tenants > 0
      ? `${name} still has ${tenants} tenants: move them to another server first.`
      : `${moves} moves from or to ${name} have not ended: finish, undo or cancel them first.`;
  if (tenants + moves > 0) throw new AppError('conflict', { message: reason });
}

async function lock(tx: EntityManager, id: string): Promise<Row> {
  const [there] = await tx.execute('select from database_servers where id = ? for update', [id]);
  if (!there) throw notFound('database server');
  return tx.findOneOrFail(Row, id);
}

async function fit<T>(field: 'url' | 'pooledUrl', check: Promise<T>): Promise<T> {
  return check.catch((error: unknown) => {
    if (error instanceof UnfitServer) throw invalid(field, error.message);
    throw error;
  });
}

const standing = query<{ home: boolean; known: string | null }>(
  'standing_of_server',
  `select system_identifier::text = $1 as home, (select name from database_servers where system_identifier = $1) as known
     from pg_control_system()`,
);

/** @throws {AppError} conflict */
async function refuseKnown(tx: EntityManager, systemIdentifier: string): Promise<void> {
  const [{ home, known } = {}] = await rowsWithin(tx, standing, [systemIdentifier]);
  if (home) {
    throw new AppError('conflict', {
      message: 'This is the home server, on which the control plane is: it is registered already.',
    });
  }
  if (known) throw new AppError('conflict', { message: `This server is registered already, as ${known}.` });
}

/** @returns the columns that say of it. @param pooledUrl null: there is to be none. */
async function checkedPooler(
  { keys }: Registrar,
  pooledUrl: string | null | undefined,
  url: string,
  identifier: string,
) {
  if (!pooledUrl) return WITHOUT_POOLER;
  const poolerPrepares = await fit('pooledUrl', checkPooler(pooledAs(url, pooledUrl), identifier));
  return { sealedPooledUrl: keys.seal(pooledUrl), poolerPrepares };
}
