/**
 * Makes an export in the background. A worker that dies leaves a job that the next one takes: the export begins anew, as the
 * instant that it spoke of is gone. Its attempt is the fence, and stands in the names of its files.
 */
import { rm } from 'node:fs/promises';
import type { Services } from '../../context.ts';
import { query } from '../../db/control.ts';
import type { ExportedFile, Place } from '../../entities/control/tenant-export.ts';
import { FencedOff, StepFailure } from '../durable-run.ts';
import { storeRef } from '../provisioning-steps.ts';
import { whyItFailed } from '../work-failures.ts';
import { KEPT_DAYS, KEPT_EXPORTS } from './exports.ts';
import { type WrittenEntries, writeData } from './write-data.ts';
import { writeFiles } from './write-files.ts';

/** What an export needs of a gateway, or of a command. */
export type ExportServices = Pick<Services, 'components' | 'control' | 'kept' | 'log' | 'servers'>;

const MOST_ATTEMPTS = 5;
/** One that takes longer fails for good. Below the time after which the queue takes its job away (db/queue.ts). */
const LONGEST_HOURS = 12;
const TOLD_EVERY_MS = 500;

interface Claimed {
  attempt: number;
  orgId: string;
  slug: string;
  mongoDatabase: string;
  databaseName: string | null;
}

const claim = query<Claimed>(
  'claim_export',
  `update tenant_exports e set state = 'running', attempt = e.attempt + 1, records = 0, records_total = null
     from organizations o left join tenant_databases d on d.org_id = o.id
    where e.id = $1 and e.state in ('queued', 'running') and o.id = e.org_id
    returning e.attempt, o.id as "orgId", o.slug, o.mongo_database as "mongoDatabase",
              case when o.archived_at is null then d.database_name end as "databaseName"`,
);
/** One whose worker died in the last of its attempts, which could record nothing. */
const giveUp = query(
  'give_up_export',
  `update tenant_exports set state = 'failed', finished_at = now(), expires_at = now() + interval '${KEPT_DAYS} days',
          error = 'The process that made it came to its end each time.'
    where id = $1 and state in ('queued', 'running') and attempt >= ${MOST_ATTEMPTS}`,
);
/** A worker that stops has not failed. */
const handBack = query(
  'hand_back_export',
  `update tenant_exports set state = 'queued', attempt = attempt - 1 where id = $1 and attempt = $2 and state = 'running'`,
);
const tell = query(
  'export_progress',
  `update tenant_exports set records = $3, records_total = $4 where id = $1 and attempt = $2 and state = 'running'`,
);
const finish = query(
  'finish_export',
  `update tenant_exports set state = 'ready', error = null, place = $3, data = $4, files = $5, taken_at = $6,
          records = ($4::jsonb->>'entries')::int, finished_at = now(), expires_at = now() + interval '${KEPT_DAYS} days'
    where id = $1 and attempt = $2 and state = 'running'`,
);
const fail = query<{ state: string }>(
  'fail_export',
  `update tenant_exports set error = $3, finished_at = case when attempt >= $4 then now() end,
          state = case when attempt >= $4 then 'failed' else 'queued' end,
          expires_at = case when attempt >= $4 then now() + interval '${KEPT_DAYS} days' end
    where id = $1 and attempt = $2 and state = 'running' returning state`,
);
/** Older ones than are kept, each side for itself. */
const expireOlder = query(
  'expire_exports',
  `update tenant_exports set expires_at = now() where id in (
     select id from (select id, row_number() over (partition by is_own order by id desc) as place
                       from tenant_exports where org_id = $1 and state = 'ready') kept
      where place > ${KEPT_EXPORTS})`,
);

/** Says that the process is stopping, and that the queue took the job away. */
export interface ExportSignals {
  stopping: AbortSignal;
  taken: AbortSignal;
}

/** @throws what it failed of, where it is to be tried again; {FencedOff}; a signal's reason. */
export async function runExport(
  services: ExportServices,
  id: string,
  { stopping, taken }: ExportSignals,
): Promise<void> {
  const { pool } = services.control;
  const deadline = AbortSignal.timeout(LONGEST_HOURS * 3_600_000);
  const signal = AbortSignal.any([stopping, taken, deadline]);
  await pool.query({ ...giveUp, values: [id] });
  const [claimed] = (await pool.query<Claimed>({ ...claim, values: [id] })).rows;
  if (!claimed) return;
  const { attempt, orgId } = claimed;
  try {
    const { place, data, files, takenAt } = await make(services, id, claimed, signal);
    const values = [id, attempt, place, JSON.stringify(data), files && JSON.stringify(files), takenAt];
    const { rowCount } = await pool.query({ ...finish, values });
    if (!rowCount) throw new FencedOff();
    await pool.query({ ...expireOlder, values: [orgId] });
  } catch (error) {
    if (error instanceof FencedOff || taken.aborted) throw error;
    if (stopping.aborted) {
      await pool.query({ ...handBack, values: [id, attempt] });
      throw error;
    }
    const [reason, attempts] = deadline.aborted
      ? [`It took longer than ${LONGEST_HOURS} hours.`, attempt]
      : [whyItFailed(error), MOST_ATTEMPTS];
    const { rows } = await pool.query<{ state: string }>({ ...fail, values: [id, attempt, reason, attempts] });
    services.log.warn({ orgId, exportId: id, attempt, err: error }, 'an export failed');
    if (rows[0]?.state !== 'failed') throw error;
  }
}

/** What the names of an attempt's files begin with, drafts included. */
export const filesOf = (id: string, attempt: number): string => `exports/${id}.${attempt}.`;

interface Made {
  place: Place;
  data: ExportedFile;
  files?: ExportedFile;
  takenAt: Date;
}

async function make(services: ExportServices, id: string, claimed: Claimed, signal: AbortSignal): Promise<Made> {
  const { components, control, kept, servers } = services;
  const { attempt, orgId, slug, databaseName } = claimed;
  if (!databaseName) throw new StepFailure('The organization has no database: it is archived.');
  const keep = async <W extends WrittenEntries>(ending: string, write: (draft: string) => Promise<W>) => {
    const name = `${filesOf(id, attempt)}${ending}`;
    const draft = await kept.draft(name);
    try {
      const written = await write(draft);
      const place = await kept.keep(draft, name, signal);
      const { bytes, digest, entries } = written;
      return { place, written, file: { name, bytes, digest, entries } };
    } finally {
      await rm(draft, { force: true });
    }
  };
  const server = await servers.of(orgId);
  const tenant = { id: orgId, slug, url: server.urlOf(databaseName) };
  const source = { databaseUrl: control.url, progress: progressOf(services, id, attempt) };
  const data = await keep('ndjson.gz', (draft) =>
    server.whileUp((away) => writeData({ ...source, signal: AbortSignal.any([signal, away]) }, tenant, draft)),
  );
  const { objects } = components;
  const bucket = storeRef({ id: orgId, mongoDatabase: claimed.mongoDatabase }).storeName;
  const files = objects && (await keep('files.tar', (draft) => writeFiles(objects, bucket, draft, signal)));
  return { place: data.place, data: data.file, files: files?.file, takenAt: data.written.takenAt };
}

function progressOf({ control }: ExportServices, id: string, attempt: number) {
  let told = 0;
  return async (records: number, total: number) => {
    if (Date.now() - told < TOLD_EVERY_MS) return;
    told = Date.now();
    const { rowCount } = await control.pool.query({ ...tell, values: [id, attempt, records, total] });
    if (!rowCount) throw new FencedOff();
  };
}
