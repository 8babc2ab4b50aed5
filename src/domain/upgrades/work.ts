/**
 * Working on the tenants of an upgrade, by any number of processes. A tenant is taken up by a commit, then its database is
 * migrated, then what became of it is recorded by another: a process that dies in between leaves a tenant that somebody takes
 * up again, and whose migration has happened or has not. The attempt is the fence: who finds a newer one records nothing.
 */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { Services } from '../../context.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { LOCKS } from '../../db/locks.ts';
import { TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import { Organization } from '../../entities/control/organization.ts';
import { TenantUpgradeState, UpgradeRun, UpgradeState } from '../../entities/control/upgrade-run.ts';
import { TenantChange } from '../../live/event-log.ts';
import { audit, bySystem } from '../audit.ts';
import { tellOfTenant } from '../tenant-events.ts';
import { settle } from './course.ts';
import { mayPass, reasonOf } from './failures.ts';
import { TENANT_UPGRADE, type TenantUpgradeRow } from './read.ts';
import { UPGRADABLE } from './settings.ts';
import { tellOfUpgrade } from './tell.ts';

/** What working on an upgrade needs. */
export type UpgradeServices = Pick<Services, 'control' | 'servers' | 'log'>;

/** A process says this often, in milliseconds, that it is at its tenants; those of one that is silent are given to others. */
export const SEEN_MS = 3000;
const SILENT_SECONDS = 15;
/** A tenant whose process dies each time is set aside at last. */
const MOST_ATTEMPTS = 50;
/** Before a tenant is tried again, in seconds: twice as long each time, up to the second number. */
const BACKOFF = { first: 1, most: 60 };

type Item = TenantUpgradeRow & { retriesLeft: number };

/** A tenant that was taken up. */
export interface Taken {
  item: Item;
  run: Pick<UpgradeRun, 'id' | 'toVersion' | 'lockTimeoutMs' | 'retries'>;
}

const claim = query<Item>(
  'claim_upgrade_item',
  `update upgrade_items set state = 'running', attempt = attempt + 1, worker_session = $2, seen_at = now(), started_at = now(),
          finished_at = null, next_try_at = null
    where run_id = $1 and org_id = (
      select org_id from upgrade_items
       where run_id = $1 and state = 'pending' and wave <= $3 and (next_try_at is null or next_try_at <= now())
         and (select count(*) from upgrade_items where run_id = $1 and state = 'running') < $4
       order by wave, org_id limit 1)
   returning ${TENANT_UPGRADE}, retries_left as "retriesLeft"`,
);

/** Runs in a transaction that has locked the run: everything that changes one goes this way, one after the other. */
const withRun = <T>(
  { control }: UpgradeServices,
  which: object,
  body: (em: EntityManager, run: UpgradeRun) => Promise<T>,
): Promise<T | undefined> =>
  control.orm.em.fork().transactional(async (em) => {
    const run = await em.findOne(UpgradeRun, which, { lockMode: LockMode.PESSIMISTIC_WRITE });
    return run ? body(em, run) : undefined;
  });

/** Takes up the next tenant, where one more may be under way. @param session of this process (jobs/worker-session.ts). */
export function takeTenant(services: UpgradeServices, session: number): Promise<Taken | undefined> {
  // A newer gateway may run beside this one, whose migrations are not known here.
  const mine = { state: UpgradeState.RUNNING, toVersion: { $lte: TENANT_SCHEMA_VERSION } };
  return withRun(services, mine, async (em, run) => {
    const [item] = await rowsWithin(em, claim, [run.id, session, run.wave, run.concurrency]);
    if (!item) return undefined;
    await tellOfUpgrade(em, run, told(item));
    const { id, toVersion, lockTimeoutMs, retries } = run;
    return { item, run: { id, toVersion, lockTimeoutMs, retries } };
  });
}

const told = ({ retriesLeft: _, ...row }: Item): TenantUpgradeRow => row;

/** What became of a tenant's database. */
type Outcome = { version: number } | { failure: unknown };

/** Migrates a tenant that was taken up, and records what became of it. */
export async function upgradeTenant(services: UpgradeServices, taken: Taken): Promise<void> {
  const { item, run } = taken;
  let outcome: Outcome;
  try {
    outcome = { version: await migrate(services, taken) };
  } catch (failure) {
    outcome = { failure };
  }
  const recorded = await withRun(services, { id: run.id }, async (em, locked) => {
    const row = await record(em, locked, item, outcome);
    if (!row) return undefined;
    await settle(em, locked);
    await tellOfUpgrade(em, locked, told(row));
    return { row, run: locked };
  });
  if (!recorded) return;
  logOutcome(services, taken, recorded.row, outcome);
  logEnd(services, recorded.run);
}

/** The database is neither dropped, nor restored, nor migrated by another process meanwhile. @returns 0 where there is none. */
async function migrate({ control, servers }: UpgradeServices, { item, run }: Taken): Promise<number> {
  const server = await servers.find(item.tenantId);
  if (!server) return 0;
  const name = server.nameFor(item.tenantId);
  const upgrade = async () => {
    const upgradable = `select from organizations o where o.id = $1 and ${UPGRADABLE}`;
    const { rowCount } = await control.pool.query(upgradable, [item.tenantId]);
    return rowCount ? server.migrate(name, { to: run.toVersion, lockTimeoutMs: run.lockTimeoutMs }) : 0;
  };
  return server.limitUpgrades(() => server.alone(name, upgrade));
}

const write = query<Item>(
  'write_upgrade_item',
  `update upgrade_items set state = $4::tenant_upgrade_state, error = $5, worker_session = null,
          finished_at = case when $4 = 'pending' then null else now() end,
          next_try_at = case when $4 = 'pending' then now() + make_interval(secs => $6) end,
          retries_left = retries_left - case when $6 > 0 then 1 else 0 end
    where run_id = $1 and org_id = $2 and attempt = $3 and state = 'running'
   returning ${TENANT_UPGRADE}, retries_left as "retriesLeft"`,
);

/** @returns nothing where a newer attempt has it. */
async function record(em: EntityManager, run: UpgradeRun, item: Item, outcome: Outcome): Promise<Item | undefined> {
  const { state, error, waitSeconds = 0 } = judge(run, item, outcome);
  const [row] = await rowsWithin(em, write, [run.id, item.tenantId, item.attempt, state, error ?? null, waitSeconds]);
  if (!row) return undefined;
  if (state === TenantUpgradeState.DONE) await noteVersion(em, item.tenantId, (outcome as { version: number }).version);
  if (state !== TenantUpgradeState.PENDING) run[state] += 1;
  return row;
}

interface Judgement {
  state: Exclude<TenantUpgradeState, TenantUpgradeState.RUNNING>;
  error?: string;
  /** Before the next attempt. */
  waitSeconds?: number;
}

function judge(run: UpgradeRun, { retriesLeft }: Item, outcome: Outcome): Judgement {
  if ('version' in outcome) {
    if (outcome.version > 0) return { state: TenantUpgradeState.DONE };
    return {
      state: TenantUpgradeState.SKIPPED,
      error: 'The tenant was removed or archived, or is being moved: then another upgrade takes it up.',
    };
  }
  const error = reasonOf(outcome.failure, run);
  if (!mayPass(outcome.failure) || retriesLeft === 0) return { state: TenantUpgradeState.FAILED, error };
  if (run.finishedAt) return { state: TenantUpgradeState.SKIPPED, error };
  const waitSeconds = Math.min(BACKOFF.first * 2 ** (run.retries - retriesLeft), BACKOFF.most);
  return { state: TenantUpgradeState.PENDING, error, waitSeconds };
}

async function noteVersion(em: EntityManager, orgId: string, version: number): Promise<void> {
  const org = await em.findOne(Organization, orgId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!org || org.schemaVersion >= version) return;
  audit(em, bySystem, {
    action: 'tenant.migrate',
    orgId,
    target: { type: 'tenant', id: orgId },
    before: { schema_version: org.schemaVersion },
    after: { schema_version: version },
  });
  org.schemaVersion = version;
  await tellOfTenant(em, TenantChange.UPDATED, org);
}

function logOutcome({ log }: UpgradeServices, { item, run }: Taken, row: Item, outcome: Outcome): void {
  const facts = { orgId: item.tenantId, upgrade: run.id, attempt: item.attempt };
  if (row.state === TenantUpgradeState.DONE) {
    log.info(facts, `tenant ${item.slug} is at schema version ${run.toVersion}`);
  } else if (row.state === TenantUpgradeState.PENDING) {
    log.info(facts, `tenant ${item.slug} will be tried again: ${row.error}`);
  } else if (row.state === TenantUpgradeState.FAILED) {
    const err = 'failure' in outcome ? outcome.failure : undefined;
    log.warn({ ...facts, err }, `tenant ${item.slug} is set aside, its database is as it was: ${row.error}`);
  }
}

function logEnd({ log }: UpgradeServices, { id, state, reason, toVersion, failed, done }: UpgradeRun): void {
  const facts = { upgrade: id };
  if (state === UpgradeState.STOPPED || (state === UpgradeState.PAUSED && reason)) {
    log.warn(facts, `the upgrade to schema version ${toVersion} is ${state}: ${reason}`);
  }
  if (state !== UpgradeState.FINISHED) return;
  if (failed === 0) log.info(facts, `all tenants are at schema version ${toVersion}`);
  else
    log.warn(
      facts,
      `the upgrade has ended: ${done} tenants are at schema version ${toVersion}, ${failed} are set aside`,
    );
}

const sayHere = query(
  'say_at_upgrades',
  `update upgrade_items set seen_at = now() where worker_session = $1 and state = 'running' and org_id = any($2)`,
);

/** Tells the other processes that this one is at these tenants. */
export async function sayAtWork(
  { control }: UpgradeServices,
  session: number,
  tenantIds: readonly string[],
): Promise<void> {
  const { name, text } = sayHere;
  await control.pool.query({ name, text, values: [session, tenantIds] });
}

interface Orphan {
  runId: string;
  tenantId: string;
  attempt: number;
}

/** Under way at a process that is gone, or is silent. */
const orphans = query<Orphan>(
  'orphaned_upgrade_items',
  `select run_id as "runId", org_id as "tenantId", attempt from upgrade_items
    where state = 'running' and (seen_at < now() - interval '${SILENT_SECONDS} seconds' or not exists (
      select from pg_locks
       where locktype = 'advisory' and classid = ${LOCKS.worker} and objid::int = worker_session and granted
         and database = (select oid from pg_database where datname = current_database())))`,
);
const handOn = query<Item>(
  'hand_on_upgrade_item',
  `update upgrade_items set state = $4::tenant_upgrade_state, error = $5, worker_session = null,
          finished_at = case when $4 = 'pending' then null else now() end
    where run_id = $1 and org_id = $2 and attempt = $3 and state = 'running'
   returning ${TENANT_UPGRADE}, retries_left as "retriesLeft"`,
);

/** Gives tenants whose process is gone to the next one. */
export async function takeOverOrphans(services: UpgradeServices): Promise<void> {
  const { name, text } = orphans;
  const { rows } = await services.control.pool.query<Orphan>({ name, text });
  for (const { runId, tenantId, attempt } of rows) {
    await withRun(services, { id: runId }, async (em, run) => {
      const { state, error } = judgeOrphan(run, attempt);
      const [row] = await rowsWithin(em, handOn, [runId, tenantId, attempt, state, error ?? null]);
      if (!row) return;
      if (state !== TenantUpgradeState.PENDING) run[state] += 1;
      await settle(em, run);
      await tellOfUpgrade(em, run, told(row));
      services.log.info({ orgId: tenantId, upgrade: runId }, 'taking over an upgrade whose process is gone');
    });
  }
}

function judgeOrphan(run: UpgradeRun, attempt: number): Judgement {
  if (run.finishedAt) return { state: TenantUpgradeState.SKIPPED, error: 'The upgrade was called off.' };
  if (attempt < MOST_ATTEMPTS) return { state: TenantUpgradeState.PENDING };
  return { state: TenantUpgradeState.FAILED, error: `Its process ended each time, ${attempt} times.` };
}
