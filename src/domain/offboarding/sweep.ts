/** Archives go when they are nobody's any more, also where the process that restored or removed their tenant has another disk. */
import { LRUCache } from 'lru-cache';
import { validate, version } from 'uuid';
import { query } from '../../db/control.ts';
import type { Place } from '../../entities/control/tenant-export.ts';
import { databaseFacts } from '../backup/drafts.ts';
import type { KeptFiles } from '../kept-files.ts';
import type { OffboardingServices } from './runs.ts';

/** An archive or the draft of one, as `writeKept` of archive.ts names it: its id is of when it was begun. */
const ARCHIVE = /^archives\/(?<orgId>[\da-f-]{36})\.(?<id>[\da-f-]{36})\.omnibak(?<draft>.*)$/;

/** Of what is left of one that came to nothing; a backup may still be reading what it has fetched. */
const GRACE_MS = 24 * 60 * 60_000;

interface Known {
  /** The archive that is kept, as the row says: one that was restored from a backup may name a file that has gone since. */
  place: Place | null;
  name: string | null;
  isArchived: boolean;
  /** Whether an archive of it is being written or read. */
  isBusy: boolean;
  databaseName: string | null;
  /** Removed for good since, as the log says; a control plane that was restored from a backup may not know of it at all. */
  isPurged: boolean;
  /** Made after a backup that was restored since: what is known now, and the tenant's database, may come from before it. */
  isOfLostTime: boolean;
}

/** Of a tenant, and of when the file was begun. */
const known = query<Known>(
  'known_archive',
  `select a.place, a.name, o.archived_at is not null as "isArchived",
          coalesce(run.state not in ('succeeded', 'failed'), false) as "isBusy", d.database_name as "databaseName",
          o.id is null and exists (
            select from audit_entries where org_id = $1 and action = 'tenant.purge' and created_at > $2) as "isPurged",
          exists (
            select from audit_entries
             where (org_id = $1 and action = 'tenant.restore' or org_id is null and action = 'platform.restore')
               and created_at > $2 and (after->>'taken_at')::timestamptz < $2) as "isOfLostTime"
     from (select $1::uuid as id, $2::timestamptz as begun) wanted
     left join organizations o on o.id = wanted.id
     left join tenant_archives a on a.org_id = o.id
     left join offboarding_runs run on run.org_id = o.id
     left join tenant_databases d on d.org_id = o.id`,
);

/** Files that the log of a gateway has been told of: each is looked at every ten minutes. */
const tellings = new WeakMap<KeptFiles, LRUCache<string, true>>();

const toldBy = (kept: KeptFiles): LRUCache<string, true> => {
  const told = tellings.get(kept) ?? new LRUCache<string, true>({ max: 10_000 });
  tellings.set(kept, told);
  return told;
};

/**
 * Removes archives that no row names, those of this machine's folder and those in the object store. One stays as long as it could be all
 * that there is of its tenant: a control plane that was restored from a backup may not know of it.
 */
export async function sweepArchives(services: OffboardingServices, signal: AbortSignal): Promise<void> {
  const { kept, log } = services;
  const told = toldBy(kept);
  const isDone = async (file: string, ageMs: number) => {
    const orgId = ARCHIVE.exec(file)?.groups?.orgId;
    try {
      const { isNobodys, doubt } = await judge(services, file, ageMs);
      if (isNobodys) log.info({ orgId, file }, 'an archive that is nobody’s any more is removed');
      if (doubt && !told.has(file)) {
        told.set(file, true);
        log.warn(
          { orgId, file, doubt },
          'an archive that no row names stays: it may be all that there is of its tenant',
        );
      }
      return isNobodys;
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ orgId, file, err: error }, 'whether an archive is anybody’s could not be found out: it stays');
      return false;
    }
  };
  await kept.sweep('archives', isDone, signal);
}

interface Judgement {
  isNobodys: boolean;
  /** Why one that no row names stays. */
  doubt?: string;
}

const nobodys = (isNobodys: boolean, doubt?: string): Judgement => (isNobodys ? { isNobodys } : { isNobodys, doubt });

async function judge(services: OffboardingServices, file: string, ageMs: number): Promise<Judgement> {
  const { control, kept } = services;
  const { orgId, id, draft } = ARCHIVE.exec(file)?.groups ?? {};
  if (!orgId || !id || !validate(id)) return nobodys(false);
  const begun = version(id) === 7 ? new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16)) : null;
  const tenant = (await control.pool.query<Known>({ ...known, values: [orgId, begun] })).rows[0]!;
  const { place, name, isArchived, databaseName } = tenant;
  if (tenant.isPurged) return nobodys(true);
  if (tenant.isBusy || file === name || ageMs < GRACE_MS) return nobodys(false);
  // A draft never was the only copy: until it has its place, what it is made of stays.
  if (!draft) {
    if (!begun) return nobodys(false, 'its name does not say when it was made');
    if (tenant.isOfLostTime) return nobodys(false, 'it was made after the backup that was restored since');
    if (name && file > name) return nobodys(false, 'it is newer than the one that is kept');
  }
  if (name) return nobodys(await kept.has(place!, name), 'the one that is kept cannot be found from here');
  if (isArchived || !databaseName) return nobodys(false, 'the tenant has no other archive and no database');
  return nobodys(await isWhole(services, orgId, databaseName), 'the tenant’s database is not there, or not whole');
}

async function isWhole({ servers }: OffboardingServices, orgId: string, databaseName: string): Promise<boolean> {
  const server = await servers.of(orgId);
  server.refuseWhileAway();
  const facts = await databaseFacts(server.pool, databaseName);
  return facts !== undefined && !facts.broken;
}
