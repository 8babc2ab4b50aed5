/** Exports go when their time has come, with their files. */
import { query } from '../../db/control.ts';
import type { ExportedFile } from '../../entities/control/tenant-export.ts';
import { type ExportServices, filesOf } from './run-export.ts';

/** What nobody has written to for so long, and no row names, was left by a process that died. */
const DEAD_MS = 60 * 60_000;

interface Kept {
  id: string;
  attempt: number;
  isBeingMade: boolean;
  data: ExportedFile | null;
  files: ExportedFile | null;
}

const expire = query('expired_exports', 'delete from tenant_exports where expires_at <= now()');
const kept = query<Kept>(
  'kept_exports',
  `select id, attempt, state = 'running' as "isBeingMade", data, files from tenant_exports where data is not null or state = 'running'`,
);

/** Files that are unknown, those of expired exports among them, are removed an hour after they were written last. */
export async function sweepExports({ control, kept: files }: ExportServices, signal: AbortSignal): Promise<void> {
  await control.pool.query({ ...expire });
  const { rows } = await control.pool.query<Kept>({ ...kept });
  const names = new Set(rows.flatMap(({ data, files }) => [data?.name, files?.name]));
  const beingMade = rows.flatMap(({ id, attempt, isBeingMade }) => (isBeingMade ? [filesOf(id, attempt)] : []));
  const isKnown = (name: string) => names.has(name) || beingMade.some((start) => name.startsWith(start));
  await files.sweep('exports', (name, ageMs) => ageMs > DEAD_MS && !isKnown(name), signal);
}
