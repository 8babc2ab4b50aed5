/**
 * The transaction in the control database that puts a restored tenant in the place of the present one: databases change names,
 * accounts go back, everybody is signed out, every process is told.
 */
import pg from 'pg';
import { loadGenerations } from '../../db/key-generations.ts';
import { LOCKS } from '../../db/locks.ts';
import { TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import { randomPassword } from '../../db/secrets.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { CONNECTION_LIMIT, roleStatements } from '../../db/tenant-roles.ts';
import type { OffboardingKind } from '../../entities/control/offboarding.ts';
import type { TenantLimits } from '../../entities/control/organization.ts';
import { publishOn, TenantChange } from '../../live/event-log.ts';
import { auditOn, bySystem } from '../audit.ts';
import { TENANT_COLUMNS, type TenantRow } from '../organizations.ts';
import { writeLimits } from '../tenant-seeds.ts';
import { titleOf } from './archive.ts';
import { databaseFacts, openWriter, swapDatabases } from './drafts.ts';
import { refuseUnfit, refuseWhileOwnAnswers } from './plan.ts';
import type { OpenArchive } from './read-archive.ts';
import type { ReachedTarget } from './restore-tenant.ts';
import { type RestoredAccounts, restoreAccounts } from './restored-accounts.ts';
import { type End, proofOfRestore } from './restored-end.ts';
import { commitOrPutBack, markRestored } from './settle-switch.ts';
import { staged, unstage } from './stage.ts';
import { readStanding } from './standing.ts';
import { tablesOf, tenantTablesOf } from './tables.ts';
import { endUnfinished, refuseOlderAttempt, unfinishedRun, whyUnfit } from './unfinished-run.ts';

const quote = pg.escapeIdentifier;

export interface Switch extends ReachedTarget {
  /** That the tenant's database is on. */
  server: TenantCluster;
  /** Holds the staged rows. */
  control: pg.Client;
  /** In whose transaction databases change names: on the home server the same. */
  renamer: pg.Client;
  /** Another session on the tenant's server. */
  helper: pg.Client;
  /** Of the tenant's database and of its role. */
  name: string;
  draft: string;
  archive: OpenArchive;
  chainEnd: End;
}

export type Switched = RestoredAccounts;

/** The tables whose rows stay where the tenant is known: what the platform decided, and what happened on which day. */
const KEPT = new Set([
  'organizations',
  'provisioning_runs',
  'provisioning_steps',
  'tenant_archives',
  'tenant_databases',
  'usage',
  'usage_days',
]);
/** These have rules of their own (restored-accounts.ts), or are known better from the restored database. */
const SPECIAL = new Set(['identities', 'api_keys', 'activity_heads']);

/** How long the tenant's locks are held without anything being done; milliseconds. */
const HELD_MS = 90_000;
/** The same of the event log's, for which everybody waits: shorter than they wait (CONTROL_OPTIONS). Also where the tenant's server hangs. */
const EVENTS_HELD_MS = 5000;

/** Versions of hours that may have been made, and told of, while the restore was under way; numbers go on above them. */
const HEADROOM = 1000;

export async function switchTenant(options: Switch): Promise<Switched> {
  const { control, renamer, helper, server, archive, name } = options;
  const orgId = archive.header.tenant!.id;
  // Of an archived tenant nothing is on its own server.
  if (options.serverName !== undefined && options.attempt === undefined)
    await refuseWhileOwnAnswers(control, options, archive.header.tenant!);
  // Others wait for what is locked here: no lock is waited for long, and none outlives a process that is frozen.
  await helper.query(`set idle_session_timeout = ${HELD_MS}`);
  for (const client of new Set([control, renamer])) {
    await client.query(
      `begin; set local lock_timeout = '20s'; set local idle_in_transaction_session_timeout = ${HELD_MS}`,
    );
  }
  try {
    // In the order in which everybody takes them: accounts, the organization, then the tenant's database.
    await control.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCKS.tenantAccounts, orgId]);
    await control.query('select from organizations where id = $1 for update', [orgId]);
    // It may have changed since the plan was made.
    const wasThere = await refuseUnfit(control, archive.header.tenant!);
    const ended = await endOrRefuseRun(options);
    const standing = options.standing ?? (await readStanding(control, orgId));
    for (const table of tenantTablesOf(await tablesOf(control))) {
      if (SPECIAL.has(table.name) || (wasThere && KEPT.has(table.name))) continue;
      if (wasThere) await control.query(`delete from ${quote(table.name)} where org_id = $1`, [orgId]);
      if (table.name === 'tenant_databases') await placeOn(control, server);
      await unstage(control, table.name);
    }
    // Of one that had gone, or was about to, nobody has asked for the end of what is back now.
    const org = await renew(control, orgId, wasThere && !ended);
    const accounts = await restoreAccounts(control, orgId, standing.tenants.get(orgId));
    await setChainEnd(control, orgId, options.chainEnd);
    const hours = await finishDraft(options, org);
    await learnKeys(options);
    await ensureRole(options, orgId);
    options.signal.throwIfAborted();
    await swapDatabases(renamer, helper, name);
    await tell(options, org, hours, { wasThere, ended });
    if (renamer === control) {
      await control.query('commit');
    } else {
      await markRestored(renamer, name, await tokenVersionOf(control, orgId));
      await renamer.query('commit');
      await commitOrPutBack(options, { databaseUrl: options.databaseUrl, orgId, name });
    }
    return accounts;
  } catch (error) {
    for (const client of new Set([renamer, control])) await client.query('rollback').catch(() => {});
    throw error;
  }
}

/**
 * What is under way with the tenant as a whole is over by this transaction where it waits for the server that the tenant leaves.
 *
 * @returns what that was. @throws {ConfigError} otherwise. {FencedOff}
 */
async function endOrRefuseRun({ control, server, archive, attempt }: Switch): Promise<OffboardingKind | undefined> {
  const { id, slug } = archive.header.tenant!;
  if (attempt !== undefined) {
    await refuseOlderAttempt(control, id, attempt);
    return undefined;
  }
  const kind = await unfinishedRun(control, id);
  if (!kind) return undefined;
  const { rowCount } = await control.query('select from tenant_databases where org_id = $1 and server_id <> $2', [
    id,
    server.id,
  ]);
  if (!rowCount) throw whyUnfit(slug, kind);
  await endUnfinished(control, id);
  return kind;
}

/** In the backup it may have been on another server, and in another installation. */
const placeOn = (control: pg.ClientBase, { id }: TenantCluster) =>
  control.query(`update ${staged('tenant_databases')} set server_id = $1`, [id]);

type Org = TenantRow & { limits: TenantLimits };

/** Tokens of before are dead: their version is below any that was ever given, also where what was given since is lost. */
async function renew(control: pg.ClientBase, orgId: string, keepsCountdown: boolean): Promise<Org> {
  await control.query(
    `update organizations o set schema_version = $2, updated_at = now(), archived_at = null,
            purge_at = case when $3 then purge_at end,
            token_version = greatest(token_version + 1, coalesce((select version + 1 from revocations where subject_id = o.id), 0),
                                     ${RESTORED_VERSION})
      where id = $1`,
    [orgId, TENANT_SCHEMA_VERSION, keepsCountdown],
  );
  await control.query(`update usage set gathered_mark = '' where org_id = $1`, [orgId]);
  const { rows } = await control.query<Org>(`select ${TENANT_COLUMNS} from organizations o where id = $1`, [orgId]);
  return rows[0]!;
}

async function tokenVersionOf(control: pg.ClientBase, orgId: string): Promise<number> {
  const { rows } = await control.query<{ version: number }>(
    'select token_version as version from organizations where id = $1',
    [orgId],
  );
  return rows[0]!.version;
}

/** Seconds since 2020: above every version that counting up by one has come to, and rising from restore to restore. */
export const RESTORED_VERSION = '(extract(epoch from now()) - 1577836800)::int';

async function setChainEnd(control: pg.ClientBase, orgId: string, { seq, hash }: End): Promise<void> {
  await control.query('delete from activity_heads where org_id = $1', [orgId]);
  if (seq === 0) return;
  await control.query(`insert into activity_heads (org_id, seq, hash) values ($1, $2, decode($3, 'hex'))`, [
    orgId,
    seq,
    hash,
  ]);
}

/**
 * The last changes to the restored database before it is opened: its limits, and the numbers of its hours.
 *
 * @returns the newest version of its hours.
 */
async function finishDraft({ renamer, server, draft, name, away }: Switch, { limits }: Org): Promise<string> {
  const newest = await newestSchedule(renamer, server, name, away);
  const client = await openWriter(server.urlOf(draft), away);
  try {
    await client.query('begin');
    await writeLimits(client, limits);
    // Hours that hold again are told of as news, whose numbers come after all that was told before.
    await client.query(
      // Numbers do not follow to a copy that a move keeps, rows do.
      `select setval('schedule_versions_seq_seq', $2 + greatest(nextval('schedule_versions_seq_seq'), $1,
                                                                (select max(seq) from schedule_versions)))`,
      [newest, HEADROOM],
    );
    await client.query(
      `insert into schedule_versions (division_id, valid_from, schedule)
       select division_id, date_trunc('milliseconds', clock_timestamp()), schedule from
         (select distinct on (division_id) * from schedule_versions order by division_id, seq desc) newest`,
    );
    const { rows } = await client.query<{ version: string }>('select max(seq)::text as version from schedule_versions');
    await client.query('commit');
    return rows[0]!.version;
  } finally {
    await client.end();
  }
}

async function newestSchedule(
  onServer: pg.ClientBase,
  server: TenantCluster,
  database: string,
  away: AbortSignal,
): Promise<number> {
  const facts = await databaseFacts(onServer, database);
  if (!facts || facts.broken) return 0;
  const client = await openWriter(server.urlOf(database), away);
  try {
    const { rows } = await client.query<{ newest: string }>(
      'select last_value::text as newest from schedule_versions_seq_seq',
    );
    return Number(rows[0]!.newest);
  } catch {
    // Of an older version, or damaged: that may be why it is restored.
    return 0;
  } finally {
    await client.end();
  }
}

/** The secret may have been changed since the restore began: what is sealed with the new one is opened, and what is told proven by it. */
async function learnKeys({ control, keys, secretsNow }: Switch): Promise<void> {
  if (secretsNow) keys.learn(await secretsNow());
  await loadGenerations(control, keys);
}

/** The tenant's role with the password that is written down; both are made anew where they are lost. */
async function ensureRole({ control, renamer, server, keys, draft, name }: Switch, orgId: string): Promise<void> {
  const { rows } = await control.query<{ sealed: string }>(
    `select sealed_password as sealed
       from tenant_databases where org_id = $1 and database_name = $2 and role_name = $2`,
    [orgId, name],
  );
  const known = rows[0]?.sealed;
  const password = known ? keys.open(known) : randomPassword();
  // In the backup it may be sealed with the keys of a former secret; else the row stays as it was backed up.
  const sealed = known && keys.isSealedNow(known) ? known : keys.seal(password);
  const { create, alter } = await roleStatements(server.code, name, password);
  await renamer.query((await roleExists(renamer, name)) ? alter : create);
  if (known) {
    const place = [orgId, server.id, sealed];
    await control.query('update tenant_databases set server_id = $2, sealed_password = $3 where org_id = $1', place);
  } else {
    await control.query('delete from tenant_databases where org_id = $1', [orgId]);
    await control.query(
      `insert into tenant_databases (org_id, server_id, database_name, role_name, sealed_password, created_at)
       values ($1, $2, $3, $3, $4, now())`,
      [orgId, server.id, name, sealed],
    );
  }
  await renamer.query(
    `grant connect on database ${quote(draft)} to ${quote(name)};
     alter database ${quote(draft)} connection limit ${CONNECTION_LIMIT}`,
  );
}

async function roleExists(onServer: pg.ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await onServer.query('select from pg_roles where rolname = $1', [name]);
  return rowCount === 1;
}

/** Signs everybody out, and lets every process forget what it knows of the tenant. Events come last. */
async function tell(
  { control, keys, archive, chainEnd, serverName }: Switch,
  org: Org,
  hours: string,
  { wasThere, ended }: { wasThere: boolean; ended?: OffboardingKind },
): Promise<void> {
  const { id } = org;
  const version = await tokenVersionOf(control, id);
  const revocation = { subjectId: id, version, reason: 'credentials_changed' as const };
  await control.query('update sessions set ended_at = now() where org_id = $1 and ended_at is null', [id]);
  await control.query(
    `insert into revocations (subject_id, version, reason, revoked_at) values ($1, $2, $3, now())
     on conflict (subject_id) do update set version = excluded.version, reason = excluded.reason, revoked_at = now()`,
    [id, revocation.version, revocation.reason],
  );
  await auditOn(control, bySystem, {
    action: 'tenant.restore',
    orgId: id,
    target: { type: 'tenant', id },
    after: {
      backup: titleOf(archive.header),
      taken_at: archive.header.takenAt,
      installation: archive.header.installation,
      ...(serverName && { server: serverName }),
      ...(ended && { called_off: ended }),
      log_head: chainEnd.seq > 0 ? `${chainEnd.seq}:${chainEnd.hash}` : null,
    },
  });
  await control.query(`set local idle_in_transaction_session_timeout = ${EVENTS_HELD_MS}`);
  await publishOn(control, 'restore', { tenantId: id, ...chainEnd, proof: proofOfRestore(keys, id, chainEnd) });
  await publishOn(control, 'revocation', revocation);
  await publishOn(control, 'access', { tenantId: id });
  await publishOn(control, 'api_key', { tenantId: id });
  await publishOn(control, 'schedule', { tenantId: id, version: hours });
  await publishOn(control, 'tenant', {
    tenantId: id,
    change: wasThere ? TenantChange.UPDATED : TenantChange.CREATED,
    tenant: org,
  });
}
