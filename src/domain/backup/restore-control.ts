/** Restores the control plane: a database beside the present one, which then takes its name. No gateway may run meanwhile. */
import type pg from 'pg';
import { describeFailure } from '../../components/describe-failure.ts';
import { ConfigError } from '../../config.ts';
import { applyMigrations } from '../../db/apply-migrations.ts';
import { databaseUrlOf } from '../../db/control.ts';
import { serverAddresses } from '../../db/database-servers.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { LOCKS } from '../../db/locks.ts';
import { controlMigrations } from '../../db/migrations/control/index.ts';
import { formerName, groupName, watcherName } from '../../db/tenant-names.ts';
import { HOME_SERVER_ID } from '../../entities/control/database-server.ts';
import { auditOn, bySystem } from '../audit.ts';
import { controlChain } from '../audit-chain.ts';
import { type Verdict, walkChain } from '../chain-walk.ts';
import { replaceSigningKeys } from '../signing-keys.ts';
import { type ArchiveEnd, rowsIn, type SequenceState } from './archive.ts';
import { makeDraft, openWriter, swapDatabases } from './drafts.ts';
import { fill, whileQuiet } from './load.ts';
import { queueAnew } from './prepare.ts';
import { type OpenArchive, readArchive } from './read-archive.ts';
import type { Target } from './restore-tenant.ts';
import { takeOverKeys } from './restored-keys.ts';
import { openReader } from './snapshot.ts';
import { readStanding, type Standing, shutOutOfControl } from './standing.ts';
import { RESTORED_VERSION } from './switch-tenant.ts';
import { installationOf } from './tables.ts';

/** What was told after the backup has numbers that nobody knows any more: those who come back with one begin anew. */
const EVENTS_HEADROOM = 1_000_000;

export interface RestoredControl {
  rows: number;
  /** Of the audit log as it was backed up. */
  log: Verdict;
  /** Whether it was backed up under another secret than the one in use: it is sealed with this one now. */
  isOfFormerSecret: boolean;
  /** Who was let in before. */
  standing: Standing;
}

export interface RestoreControlOptions extends Omit<Target, 'servers'> {
  say(line: string): void;
  /** Into an empty database: tenants stay on the servers that the backup names. Without it all of them come to this one. */
  keepServers?: boolean;
}

/** @throws {ConfigError} while a gateway runs. Nothing has changed then. */
export async function restoreControl(
  { databaseUrl, keys, signal, say, keepServers }: RestoreControlOptions,
  archive: OpenArchive,
): Promise<RestoredControl> {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  // From beside it: who is in a database cannot rename it.
  const beside = databaseUrlOf(databaseUrl, 'postgres');
  const [client, helper] = await Promise.all([openWriter(beside), openWriter(beside)]);
  let draft: string | undefined;
  try {
    await refuseTwice(helper, name);
    await refuseGateways(client, name, archive.header.installation);
    const isNew = await isEmpty(databaseUrl);
    const standing = await standingNow(databaseUrl, say);
    draft = await makeDraft(client, name);
    const draftUrl = databaseUrlOf(databaseUrl, draft);
    const restored = await fillDraft(draftUrl, archive, keys, signal, standing);
    await whileOpen(draftUrl, async (control) => {
      if (isNew && !keepServers) await bringHome(control);
      await refuseGatewaysElsewhere(control, databaseUrl, keys, archive.header.installation);
    });
    await queueAnew(draftUrl);
    await refuseGateways(client, name, archive.header.installation);
    signal.throwIfAborted();
    await client.query("begin; set local lock_timeout = '20s'");
    await swapDatabases(client, helper, name);
    await client.query('commit');
    draft = undefined;
    await dropDatabase(helper, formerName(name));
    return { ...restored, standing };
  } finally {
    await client.query('rollback').catch(() => {});
    if (draft) await dropDatabase(helper, draft).catch(() => {});
    await Promise.all([client.end(), helper.end()]).catch(() => {});
  }
}

async function refuseTwice(client: pg.ClientBase, name: string): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as locked', [
    LOCKS.setup,
    name,
  ]);
  if (!rows[0]!.locked) throw new ConfigError(`Another restore of ${name} is under way.`);
}

async function whileOpen<T>(url: string, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await openWriter(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const isEmpty = (url: string) => whileOpen(url, async (client) => (await installationOf(client)) === undefined);

/**
 * Most restores into an empty database try a backup out, on another machine, with the secrets of the installation: it would find its
 * way to the servers that the tenants are on, and work on what is in use there.
 */
async function bringHome(client: pg.ClientBase): Promise<void> {
  await client.query('update tenant_databases set server_id = $1', [HOME_SERVER_ID]);
  await client.query('delete from database_servers where id <> $1', [HOME_SERVER_ID]);
}

/** The same of the servers that the restored tenants are on. One that cannot be asked is worked on by nobody from here either. */
async function refuseGatewaysElsewhere(
  control: pg.ClientBase,
  databaseUrl: string,
  keys: Target['keys'],
  code: string,
): Promise<void> {
  for (const { id, url } of await serverAddresses(control, databaseUrl, keys)) {
    if (id === HOME_SERVER_ID) continue;
    const client = await openReader(url).catch(() => undefined);
    if (!client) continue;
    try {
      await refuseGateways(client, '', code);
    } finally {
      await client.end();
    }
  }
}

/** Whoever works with what is about to be replaced would go on with what it remembers of it. */
async function refuseGateways(client: pg.ClientBase, name: string, code: string): Promise<void> {
  const { rows } = await client.query<{ database: string; count: number }>(
    `select datname as database, count(*)::int as count from pg_stat_activity
      where (datname = $1 and application_name like 'omnistream%' or starts_with(datname, $2) or application_name = $3)
        and application_name not in ('omnistream-restore', 'omnistream-backup') and backend_type = 'client backend'
      group by datname order by datname limit 1`,
    [name, `${groupName(code)}_`, watcherName(code)],
  );
  if (!rows[0]) return;
  const { database, count } = rows[0];
  throw new ConfigError(
    `A gateway is running on it (${count} connections to ${database}): stop every gateway of this installation, then restore the ` +
      'control plane. Nothing has been changed.',
  );
}

/** Of the installation that is there. One that cannot be read is no reason not to restore it. */
async function standingNow(databaseUrl: string, say: (line: string) => void): Promise<Standing> {
  const client = await openWriter(databaseUrl);
  try {
    return await readStanding(client);
  } catch (error) {
    say(
      `the present control plane cannot be read (${describeFailure(error)}): whoever was suspended, deleted or revoked since the ` +
        'backup can come in again',
    );
    return { tenants: new Map(), suspendedTenants: [], superAdmins: [] };
  } finally {
    await client.end();
  }
}

async function fillDraft(
  url: string,
  archive: OpenArchive,
  keys: Target['keys'],
  signal: AbortSignal,
  standing: Standing,
): Promise<Omit<RestoredControl, 'standing'>> {
  await applyMigrations(url, controlMigrations.slice(0, archive.header.schema.control));
  const client = await openWriter(url);
  try {
    let end: ArchiveEnd | undefined;
    await whileQuiet(client, async () => {
      end = await readArchive(archive, keys, (table, data) => {
        signal.throwIfAborted();
        return fill(client, table.table, table.columns, data);
      });
      return end.sequences.map(beyond);
    });
    await applyMigrations(url, controlMigrations);
    const isOfFormerSecret = await takeOverKeys(client, archive, keys);
    const log = await walkChain(client, controlChain, keys, []);
    await shutOutOfControl(client, standing);
    await renew(client, archive, keys);
    await client.query('analyze');
    return { rows: rowsIn(end!), log, isOfFormerSecret };
  } finally {
    await client.end();
  }
}

const beyond = (sequence: SequenceState): SequenceState =>
  sequence.name === 'events_seq_seq' ? { ...sequence, last: sequence.last + EVENTS_HEADROOM } : sequence;

/**
 * Everybody is signed out, what was revoked since the backup included: tokens are signed with a new key, as one of the backup may
 * have been ended since because it leaked. Every tenant's usage is gathered anew.
 */
async function renew(client: pg.ClientBase, { header }: OpenArchive, keys: Target['keys']): Promise<void> {
  await client.query('begin');
  for (const table of ['organizations', 'super_admins']) {
    await client.query(
      `with renewed as (
         update ${table} set token_version = greatest(token_version + 1, ${RESTORED_VERSION}) returning id, token_version)
       insert into revocations (subject_id, version, reason, revoked_at)
       select id, token_version, 'credentials_changed', now() from renewed
       on conflict (subject_id) do update set version = excluded.version, revoked_at = now()`,
    );
  }
  await client.query("update usage set gathered_mark = ''");
  // A time that has passed since is not to end anybody at the next start.
  await client.query('update organizations set purge_at = null where purge_at is not null');
  const kid = await replaceSigningKeys(client, keys);
  await auditOn(client, bySystem, {
    action: 'platform.restore',
    after: { taken_at: header.takenAt, installation: header.installation, signing_key: kid },
  });
  await client.query('commit');
}
