/** Takes a backup of the control plane, or of one tenant, while the gateway serves. */
import type { Client } from 'pg';
import { ConfigError } from '../../config.ts';
import { SERVER_OF_TENANT, serverAddresses, urlOnServer } from '../../db/database-servers.ts';
import type { Keys } from '../../db/keys.ts';
import { LOCKS } from '../../db/locks.ts';
import { type ArchiveEnd, type ArchiveRecord, RecordKind, type SequenceState, type Side } from './archive.ts';
import { beginSnapshot, copyTables, type IsRead, openReader, type Snapshot } from './snapshot.ts';
import { type FoundTable, isOfTenants, rowsOfTenant, sequencesOf, tenantTablesOf } from './tables.ts';
import { type NewHeader, writeArchive } from './write-archive.ts';

/** How long both snapshots may take: changes of a tenant's accounts, which wait for them, give up after ten seconds. */
const SNAPSHOT_MS = 8000;

/** Where a backup comes from. */
export interface Source {
  /** Of the control-plane database, as the role that the gateway uses. */
  databaseUrl: string;
  keys: Keys;
  signal: AbortSignal;
}

/** What was written. */
export interface Taken {
  takenAt: Date;
  rows: number;
  /** Of the file. */
  bytes: number;
}

export interface BackedUpTenant {
  id: string;
  slug: string;
  /** Of its database. */
  url: string;
}

const TENANTS = `
  select o.id, o.slug, ${SERVER_OF_TENANT} as "serverId", d.database_name as "databaseName"
    from organizations o join tenant_databases d on d.org_id = o.id
   where o.status <> 'provisioning' and to_jsonb(o)->>'archived_at' is null order by o.slug`;

/**
 * @param from the server that their databases are read on; absent: the one that each is on.
 * @returns those that have a database, by their slugs. An archived one is a backup already, and of one that is being made the control
 * plane's archive holds what is to be made. Also of a control database that an older version has set up.
 */
export async function tenantsToBackUp(
  { databaseUrl, keys }: Omit<Source, 'signal'>,
  from?: string,
): Promise<BackedUpTenant[]> {
  const client = await openReader(databaseUrl);
  try {
    const servers = await serverAddresses(client, databaseUrl, keys);
    const other = from === undefined ? undefined : servers.find(({ name }) => name === from);
    if (from !== undefined && !other) throw new ConfigError(`There is no database server ${from}.`);
    const { rows } = await client.query<{ id: string; slug: string; serverId: string | null; databaseName: string }>(
      TENANTS,
    );
    return rows.map(({ id, slug, serverId, databaseName }) => ({
      id,
      slug,
      url: urlOnServer(servers, other?.id ?? serverId, databaseName),
    }));
  } finally {
    await client.end();
  }
}

/** @throws {ConfigError} where the move that made the tenant's database on another server was ended before all of it was there. */
export async function refuseHalfCopied(
  { databaseUrl }: Pick<Source, 'databaseUrl'>,
  { id, slug }: Pick<BackedUpTenant, 'id' | 'slug'>,
  from: string,
): Promise<void> {
  const client = await openReader(databaseUrl);
  try {
    const { rowCount } = await client.query(
      `select from tenant_moves m join database_servers s on s.id = m.target_id
        where m.org_id = $1 and s.name = $2 and not m.steps @> '[{"name": "copy", "state": "done"}]'`,
      [id, from],
    );
    if (!rowCount) return;
  } finally {
    await client.end();
  }
  throw new ConfigError(
    `The copy of ${slug} on ${from} is not whole: step copy of its move was never done. A backup of it would have some of the tenant only.`,
  );
}

export async function backUpControl(source: Source, file: string): Promise<Taken> {
  const client = await openReader(source.databaseUrl);
  try {
    const snapshot = await beginSnapshot(client);
    const header: NewHeader = { kind: 'control', schema: { control: snapshot.version }, ...(await about(snapshot)) };
    return await write(source, file, header, snapshot, () => copyTables(client, 'control', snapshot.tables));
  } finally {
    await client.end();
  }
}

/**
 * Both databases that a tenant is in, as they are at the same instant: an agent is in both (docs/decisions/0015), and whoever
 * changes one does so under the lock that is held here while both snapshots are taken. Whoever has read all of the control
 * plane's may end its session.
 */
export async function snapshotsOfTenant<T>(
  { databaseUrl, signal }: Pick<Source, 'databaseUrl' | 'signal'>,
  tenant: Pick<BackedUpTenant, 'id' | 'url'>,
  isRead: Partial<Record<Side, IsRead>>,
  read: (platform: Snapshot, own: Snapshot) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cut = AbortSignal.any([signal, late.signal]);
  const opened = await Promise.allSettled([databaseUrl, databaseUrl, tenant.url].map((url) => openReader(url, cut)));
  const clients = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  let timer: NodeJS.Timeout | undefined;
  try {
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
    const [lock, control, own] = clients as [Client, Client, Client];
    // Also where this process is frozen.
    await lock.query(`begin; set local idle_in_transaction_session_timeout = ${SNAPSHOT_MS}`);
    await lock.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCKS.tenantAccounts, tenant.id]);
    // Whoever changes an account of the tenant's waits for that lock, and not for a server that hangs.
    timer = setTimeout(() => late.abort(new SnapshotLate()), SNAPSHOT_MS);
    // In this order: the end of its chain that the control plane knows is then no later than the chain itself.
    const platform = await beginSnapshot(control, isRead.control);
    const snapshot = await beginSnapshot(own, isRead.tenant);
    await lock.query('commit');
    clearTimeout(timer);
    await lock.end();
    return await read(platform, snapshot);
  } catch (error) {
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    clearTimeout(timer);
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

/** By its code: the database could not be reached. */
class SnapshotLate extends Error {
  readonly code = 'ETIMEDOUT';
  constructor() {
    super(`the databases could not be read at one instant within ${SNAPSHOT_MS / 1000} s`);
  }
}

/** A tenant's archive holds its database, and its rows of the control plane. */
export function backUpTenant(source: Source, tenant: BackedUpTenant, file: string): Promise<Taken> {
  const isRead = { control: (table: FoundTable) => isOfTenants(table) || table.name === 'installation' };
  return snapshotsOfTenant(source, tenant, isRead, async (platform, own) => {
    const header: NewHeader = {
      kind: 'tenant',
      tenant: { id: tenant.id, slug: tenant.slug },
      schema: { control: platform.version, tenant: own.version },
      ...(await about(platform)),
      takenAt: own.takenAt.toISOString(),
    };
    return write(source, file, header, own, async function* () {
      const tables = tenantTablesOf(platform.tables);
      yield* copyTables(platform.client, 'control', tables, (name) => rowsOfTenant(name, tenant.id));
      await platform.client.end();
      yield* copyTables(own.client, 'tenant', own.tables);
    });
  });
}

async function about({ client, takenAt }: Snapshot): Promise<Pick<NewHeader, 'installation' | 'server' | 'takenAt'>> {
  const { rows } = await client.query<{ installation: string; server: number }>(
    `select code as installation, current_setting('server_version_num')::int as server from installation`,
  );
  return { ...rows[0]!, takenAt: takenAt.toISOString() };
}

async function write(
  { keys, signal }: Source,
  file: string,
  header: NewHeader,
  { client, takenAt }: Snapshot,
  tables: () => AsyncGenerator<ArchiveRecord>,
): Promise<Taken> {
  let rows = 0;
  const records = async function* (): AsyncGenerator<ArchiveRecord> {
    const written: ArchiveEnd['tables'] = [];
    let table: Pick<ArchiveEnd['tables'][number], 'side' | 'table'> | undefined;
    for await (const record of tables()) {
      if (record.kind === RecordKind.TABLE) table = { side: record.side, table: record.table };
      if (record.kind === RecordKind.ROWS) {
        const { kind: _, ...end } = record;
        written.push({ ...table!, ...end });
        rows += end.rows;
      }
      yield record;
    }
    const sequences: SequenceState[] = await sequencesOf(client, header.kind);
    yield { kind: RecordKind.END, tables: written, sequences };
  };
  const bytes = await writeArchive(file, header, records(), keys, signal);
  return { takenAt, rows, bytes };
}
