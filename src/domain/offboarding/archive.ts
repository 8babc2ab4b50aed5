/**
 * A suspended tenant as an archive alone: its database is written to one, held against it, kept, and only then dropped; and
 * the way back. The archives are those of backups (docs/backups.md): encrypted, and whole by themselves.
 */
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { newId } from '../../clock.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { Organization } from '../../entities/control/organization.ts';
import type { Place } from '../../entities/control/tenant-export.ts';
import { TenantChange } from '../../live/event-log.ts';
import { audit, bySystem } from '../audit.ts';
import { BadArchive, rowsIn } from '../backup/archive.ts';
import { databaseFacts, openWriter, putOut } from '../backup/drafts.ts';
import { refuseOverCopy } from '../backup/plan.ts';
import { openArchive, readArchive } from '../backup/read-archive.ts';
import { restoreTenant } from '../backup/restore-tenant.ts';
import { backUpTenant } from '../backup/take.ts';
import { StepFailure } from '../durable-run.ts';
import { activateTenant } from '../organizations.ts';
import { NoRoom, placeTenant } from '../placement.ts';
import { tellOfTenant } from '../tenant-events.ts';
import {
  atStep,
  type Claimed,
  DROP,
  endRun,
  type OffboardingServices,
  refuseUnheld,
  tellStep,
  whileHeld,
} from './runs.ts';

interface Kept {
  place: Place;
  name: string;
}

const keptArchive = query<Kept>('kept_archive', 'select place, name from tenant_archives where org_id = $1');
const keepArchive = query(
  'keep_archive',
  `insert into tenant_archives (org_id, place, name, bytes, records, taken_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (org_id) do update set place = $2, name = $3, bytes = $4, records = $5, taken_at = $6`,
);
const archived = query(
  'archived',
  `update organizations set archived_at = date_trunc('milliseconds', now()), updated_at = now() where id = $1`,
);

const archiveOf = async ({ control }: OffboardingServices, { orgId }: Claimed) =>
  (await control.pool.query<Kept>({ ...keptArchive, values: [orgId] })).rows[0];

/** @throws {FencedOff}; what it failed of; the signal's reason. */
export async function archiveTenantNow(
  services: OffboardingServices,
  run: Claimed,
  signal: AbortSignal,
): Promise<void> {
  const { control, servers, tenants } = services;
  const { orgId, databaseName } = run;
  const server = await servers.of(orgId);
  if (run.step !== DROP && !(await isAllThereIs(services, run))) {
    await tellStep(control, run, 'write');
    await shut(services, run);
    await writeKept(services, run, signal);
  }
  await tellStep(control, run, DROP);
  tenants.forget(orgId);
  await server.drop(databaseName!, () => refuseUnheld(control, run));
  await whileHeld(control, run, async (em) => {
    await rowsWithin(em, archived, [orgId]);
    const org = await em.findOneOrFail(Organization, orgId);
    audit(em, bySystem, { action: 'tenant.archived', orgId, target: { type: 'tenant', id: orgId } });
    await endRun(em, run);
    await tellOfTenant(em, TenantChange.UPDATED, org);
  });
}

/** Whether an archive is kept and the database is not there, or is not whole any more. An archive beside a whole one may be older. */
async function isAllThereIs(services: OffboardingServices, run: Claimed): Promise<boolean> {
  if (!(await archiveOf(services, run))) return false;
  const facts = await databaseFacts((await services.servers.of(run.orgId)).pool, run.databaseName!);
  return !facts || facts.broken;
}

/** From now on nobody writes to it: whoever was let in before the tenant was suspended is put out. */
async function shut({ servers }: OffboardingServices, { orgId, databaseName }: Claimed): Promise<void> {
  const server = await servers.of(orgId);
  await server.whileUp(async (away) => {
    const client = await openWriter(server.url, away);
    try {
      await client.query(`alter role ${pg.escapeIdentifier(databaseName!)} nologin`);
      await putOut(client, databaseName!);
    } finally {
      await client.end();
    }
  });
}

/** Lets the tenant's role in again, where no archive came of it. Without its database there is nothing to let it into. */
export async function reopen({ servers }: OffboardingServices, { orgId, databaseName }: Claimed): Promise<void> {
  const { pool } = await servers.of(orgId);
  if (await databaseFacts(pool, databaseName!))
    await pool.query(`alter role ${pg.escapeIdentifier(databaseName!)} login`);
}

async function writeKept(services: OffboardingServices, run: Claimed, signal: AbortSignal): Promise<void> {
  const { control, keys, kept, log, servers } = services;
  const { orgId, slug, databaseName } = run;
  // The process that was asked may have other settings.
  kept.refuseFleeting();
  const name = `archives/${orgId}.${newId()}.omnibak`;
  const draft = await kept.draft(name);
  try {
    const server = await servers.of(orgId);
    const { rows, bytes, takenAt } = await server.whileUp((away) => {
      const source = { databaseUrl: control.url, keys, signal: AbortSignal.any([signal, away]) };
      return backUpTenant(source, { id: orgId, slug, url: server.urlOf(databaseName!) }, draft);
    });
    await tellStep(control, run, 'verify');
    const place = await kept.keep(draft, name, signal);
    // As it lies where it will be looked for.
    const found = await kept.local(place, name, signal);
    try {
      const end = await readArchive(await openArchive(found.path), keys);
      if (rowsIn(end) !== rows) throw new BadArchive('it has not the rows that were written');
    } finally {
      await found.done();
    }
    const former = await whileHeld(control, run, async (em) => {
      const [former] = await rowsWithin(em, keptArchive, [orgId]);
      await rowsWithin(em, keepArchive, [orgId, place, name, bytes, rows, takenAt]);
      await rowsWithin(em, atStep, [orgId, run.attempt, DROP]);
      return former;
    });
    if (place === 'folder') log.warn({ orgId, file: name }, 'an archived tenant has its only copy on this disk');
    if (former) await kept.remove(former.place, former.name);
  } finally {
    await rm(draft, { force: true });
  }
}

/** @returns what is to be removed once the transaction has committed. */
const forgetArchive = query<Kept>(
  'forget_archive',
  'delete from tenant_archives where org_id = $1 returning place, name',
);

/**
 * Nothing of an archived tenant is on its server: where that is away, another one takes it.
 *
 * @returns the name of that; undefined where the tenant stays. @throws {StepFailure} where none takes it. {ConfigError}
 */
async function placedAnew({ control, servers }: OffboardingServices, run: Claimed): Promise<string | undefined> {
  const { orgId, slug, databaseName } = run;
  const own = await servers.find(orgId);
  if (!own?.isAway) return undefined;
  const place = () => control.orm.em.fork().transactional((em) => placeTenant(em, servers, orgId));
  const other = await place().catch((error: unknown) => {
    throw error instanceof NoRoom ? new StepFailure(`Its server ${own.name} is away. ${error.message}`) : error;
  });
  await refuseOverCopy(slug, other, databaseName!);
  return other.name;
}

/** @throws {FencedOff}; what it failed of; the signal's reason. */
export async function restoreArchived(services: OffboardingServices, run: Claimed, signal: AbortSignal): Promise<void> {
  const { control, keys, kept, servers } = services;
  const { orgId, activate } = run;
  const archive = await archiveOf(services, run);
  if (!archive) throw new StepFailure('There is no archive of it: restore it from a backup (npm run restore).');
  await tellStep(control, run, 'fetch');
  const found = await kept.local(archive.place, archive.name, signal);
  try {
    await tellStep(control, run, 'restore');
    const serverName = await placedAnew(services, run);
    await restoreTenant(
      { databaseUrl: control.url, keys, servers, signal, serverName, attempt: run.attempt },
      await openArchive(found.path),
    );
  } finally {
    await found.done();
  }
  const forgotten = await whileHeld(control, run, async (em) => {
    const rows = await rowsWithin(em, forgetArchive, [orgId]);
    audit(em, bySystem, { action: 'tenant.unarchived', orgId, target: { type: 'tenant', id: orgId } });
    await endRun(em, run);
    if (activate) await activateTenant(em, orgId);
    else await tellOfTenant(em, TenantChange.UPDATED, await em.findOneOrFail(Organization, orgId));
    return rows;
  });
  for (const { place, name } of forgotten) await kept.remove(place, name);
}
