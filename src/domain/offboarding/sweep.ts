/** Archives go when they are nobody's any more, also where the process that restored or removed their tenant has another disk. */
import { query } from '../../db/control.ts';
import { databaseFacts } from '../backup/drafts.ts';
import type { OffboardingServices } from './runs.ts';

/** An archive or the draft of one, as `writeKept` of archive.ts names it. */
const ARCHIVE = /^archives\/(?<orgId>[\da-f-]{36})\.(?<id>[\da-f-]{36})\.omnibak/;

/** Of what is left of one that came to nothing; a backup may still be reading what it has fetched. */
const GRACE_MS = 24 * 60 * 60_000;

interface Known {
  /** The archive that is kept. */
  name: string | null;
  isArchived: boolean;
  /** Whether an archive of it is being written or read. */
  isBusy: boolean;
  databaseName: string | null;
  /** Removed for good, as the log says; a control plane that was restored from a backup may not know of it at all. */
  isPurged: boolean;
}

const known = query<Known>(
  'known_archive',
  `select a.name, o.archived_at is not null as "isArchived",
          coalesce(run.state not in ('succeeded', 'failed'), false) as "isBusy", d.database_name as "databaseName",
          o.id is null and exists (select from audit_entries where org_id = $1 and action = 'tenant.purge') as "isPurged"
     from (select $1::uuid as id) wanted
     left join organizations o on o.id = wanted.id
     left join tenant_archives a on a.org_id = o.id
     left join offboarding_runs run on run.org_id = o.id
     left join tenant_databases d on d.org_id = o.id`,
);

/**
 * Removes archives that no row names, those of this machine's folder and those in the object store. One stays as long as it could be all
 * that there is of its tenant: a control plane that was restored from a backup may not know of it.
 */
export async function sweepArchives(services: OffboardingServices, signal: AbortSignal): Promise<void> {
  const { control, kept, log } = services;
  await kept.sweep(
    'archives',
    async (name, ageMs) => {
      const orgId = ARCHIVE.exec(name)?.groups?.orgId;
      if (!orgId) return false;
      const [tenant] = (await control.pool.query<Known>({ ...known, values: [orgId] })).rows;
      const isDone = await isNobodys(services, orgId, tenant!, name, ageMs);
      if (isDone) log.info({ orgId, file: name }, 'an archive that is nobody’s any more is removed');
      return isDone;
    },
    signal,
  );
}

async function isNobodys(
  { servers }: OffboardingServices,
  orgId: string,
  { name: keptName, isArchived, isBusy, databaseName, isPurged }: Known,
  name: string,
  ageMs: number,
): Promise<boolean> {
  if (isPurged) return true;
  if (isBusy || name === keptName || ageMs < GRACE_MS) return false;
  if (keptName) return true;
  if (isArchived || !databaseName) return false;
  const facts = await databaseFacts((await servers.of(orgId)).pool, databaseName);
  return facts !== undefined && !facts.broken;
}
