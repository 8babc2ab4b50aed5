/**
 * Restores one tenant: its database beside the present one, then a single transaction in which both it and its rows change; on another
 * server than the control database's, two that hold together (settle-switch.ts).
 */
import type pg from 'pg';
import type { DatabaseServers } from '../../db/database-servers.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import type { Keys } from '../../db/keys.ts';
import { LOCKS } from '../../db/locks.ts';
import { TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import type { RootSecrets } from '../../db/secrets.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { templateName } from '../../db/tenant-names.ts';
import { migrateTenantDatabase } from '../../db/tenant-schema.ts';
import { headOf, tenantChain } from '../audit-chain.ts';
import { type Verdict, walkChain } from '../chain-walk.ts';
import { type ArchiveEnd, rowsIn } from './archive.ts';
import { makeDraft, openWriter } from './drafts.ts';
import { fill, whileQuiet } from './load.ts';
import { type OpenArchive, readArchive } from './read-archive.ts';
import type { End } from './restored-end.ts';
import { finishSwitch, settleSwitch } from './settle-switch.ts';
import { openStaging } from './stage.ts';
import type { Standing } from './standing.ts';
import { type Switched, switchTenant } from './switch-tenant.ts';

/** Where a restore goes. */
export interface Target {
  /** Of the control-plane database, as the role that the gateway uses. */
  databaseUrl: string;
  keys: Keys;
  /** As they are given by then; absent where somebody else sees to it that the keys are those in use. */
  secretsNow?(): Promise<RootSecrets>;
  servers: DatabaseServers;
  signal: AbortSignal;
  /** Who was let in before the control plane was restored; absent where it was not. */
  standing?: Standing;
  /** By its name, for a tenant whose own server is gone, or away while it is archived; otherwise it is restored on that. */
  serverName?: string;
  /** Of the run that restores the tenant from its archive (domain/offboarding): while it is the newest. */
  attempt?: number;
}

/** The same, with what says that the tenant's server has gone away. */
export interface ReachedTarget extends Target {
  away: AbortSignal;
}

export interface RestoredTenant extends Switched {
  rows: number;
  /** Of its log as it was backed up. */
  log: Verdict;
}

/**
 * Replaces a tenant by what an archive holds. Until the one transaction commits nothing of the present is changed, and the
 * tenant is in use; after it the former database is dropped. Others are not touched.
 *
 * @throws {ConfigError} where it cannot be.
 */
export async function restoreTenant(target: Target, archive: OpenArchive): Promise<RestoredTenant> {
  const { servers, serverName } = target;
  const wished = serverName && servers.all().find(({ name }) => name === serverName);
  // One that is gone comes back on the home server.
  const server = wished || ((await servers.find(archive.header.tenant!.id)) ?? servers.home);
  return server.whileUp(async (away) => {
    // One that was put up anew at its address has no template.
    if (wished || !server.isHome) await server.prepare();
    return restoreOn(server, { ...target, away }, archive);
  });
}

async function restoreOn(server: TenantCluster, target: ReachedTarget, archive: OpenArchive): Promise<RestoredTenant> {
  const { databaseUrl, away } = target;
  const orgId = archive.header.tenant!.id;
  const name = server.nameFor(orgId);
  const [control, helper] = await Promise.all([openWriter(databaseUrl), openWriter(server.url, away)]);
  let renamer = control;
  let staging: Awaited<ReturnType<typeof openStaging>> | undefined;
  let draft: string | undefined;
  try {
    // Elsewhere databases change names in a transaction of their own, right before the control database's.
    if (!server.isHome) renamer = await openWriter(server.url, away);
    // Whoever makes, migrates or drops the tenant's database waits, or is waited for.
    await helper.query('select pg_advisory_lock($1, hashtext($2))', [LOCKS.tenantDatabase, name]);
    if (!server.isHome && (await settleSwitch({ control, renamer, helper }, orgId, name)) === 'holds') {
      await finishSwitch(helper, name);
    }
    staging = await openStaging(control, databaseUrl, orgId, archive.header.schema.control);
    draft = await draftOfVersion(helper, server, name, archive.header.schema.tenant!);
    const { end, log, chainEnd } = await fillDraft(target, server, archive, server.urlOf(draft), staging.take);
    await staging.finish();
    target.signal.throwIfAborted();
    const switched = await switchTenant({
      ...target,
      server,
      control,
      renamer,
      helper,
      name,
      draft,
      archive,
      chainEnd,
    });
    draft = undefined;
    await finishSwitch(helper, name);
    return { ...switched, rows: rowsIn(end), log };
  } finally {
    await staging?.drop().catch(() => {});
    if (draft) await dropDatabase(helper, draft).catch(() => {});
    await Promise.all([control.end(), renamer.end(), helper.end()]).catch(() => {});
  }
}

/** A copy of the template has the tables of this version; those of an older one are made by the migrations of that time. */
async function draftOfVersion(client: pg.ClientBase, server: TenantCluster, name: string, version: number) {
  return version === TENANT_SCHEMA_VERSION
    ? makeDraft(client, name, templateName(server.code))
    : makeDraft(client, name);
}

interface Filled {
  end: ArchiveEnd;
  log: Verdict;
  chainEnd: End;
}

async function fillDraft(
  { keys, signal, away }: ReachedTarget,
  server: TenantCluster,
  archive: OpenArchive,
  url: string,
  takeControlRows: Awaited<ReturnType<typeof openStaging>>['take'],
): Promise<Filled> {
  const { tenant, schema } = archive.header;
  if (schema.tenant! < TENANT_SCHEMA_VERSION) await migrateTenantDatabase(url, { to: schema.tenant });
  const client = await openWriter(url, away);
  try {
    let end: ArchiveEnd | undefined;
    await whileQuiet(client, async () => {
      end = await readArchive(archive, keys, (table, data) => {
        signal.throwIfAborted();
        return table.side === 'control' ? takeControlRows(table, data) : fill(client, table.table, table.columns, data);
      });
      return end.sequences;
    });
    if (schema.tenant! < TENANT_SCHEMA_VERSION) await server.migrate(new URL(url).pathname.slice(1));
    await client.query('analyze');
    const chain = tenantChain(tenant!.id);
    const log = await walkChain(client, chain, keys, []);
    const head = await headOf(client, chain);
    return {
      end: end!,
      log,
      chainEnd: head ? { seq: head.seq, hash: head.hash.toString('hex') } : { seq: 0, hash: '' },
    };
  } finally {
    await client.end();
  }
}
