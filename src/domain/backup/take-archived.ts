/** Takes along what archived tenants are: an archive each, which is sealed with the same key as a backup's. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Place } from '../../entities/control/tenant-export.ts';
import { syncFolder } from '../../sync-folder.ts';
import type { KeptFiles } from '../kept-files.ts';
import { rowsIn } from './archive.ts';
import { openArchive, readArchive, readRecords } from './read-archive.ts';
import { openReader } from './snapshot.ts';
import type { Source, Taken } from './take.ts';
import { writeArchive } from './write-archive.ts';

/** A tenant that has an archive instead of a database (domain/offboarding). */
export interface ArchivedTenant {
  id: string;
  slug: string;
  place: Place;
  name: string;
  /** The installation's. */
  code: string;
}

const ARCHIVED = `
  select o.id, o.slug, a.place, a.name, i.code
    from organizations o join tenant_archives a on a.org_id = o.id cross join installation i
   where o.archived_at is not null order by o.slug`;

export async function archivesToBackUp({ databaseUrl }: Pick<Source, 'databaseUrl'>): Promise<ArchivedTenant[]> {
  const client = await openReader(databaseUrl);
  try {
    const { rows: found } = await client.query(`select to_regclass('tenant_archives') is not null as there`);
    // A control database that an older version has set up has none.
    return found[0].there ? (await client.query<ArchivedTenant>(ARCHIVED)).rows : [];
  } finally {
    await client.end();
  }
}

/**
 * Copies an archive as it is, after reading it to its end. One from before a change of the secret is sealed anew: the whole backup
 * is opened by one secret.
 *
 * @throws {BadArchive}
 */
export async function backUpArchive(
  { keys, signal }: Source,
  kept: KeptFiles,
  { place, name }: ArchivedTenant,
  file: string,
): Promise<Taken> {
  const found = await kept.local(place, name, signal);
  const draft = `${file}.partial`;
  try {
    const archive = await openArchive(found.path);
    const rows = rowsIn(await readArchive(archive, keys));
    const { format: _, key, salt: __, ...header } = archive.header;
    if (key !== keys.backups.id) {
      const bytes = await writeArchive(file, header, readRecords(archive, keys), keys, signal);
      return { takenAt: new Date(header.takenAt), rows, bytes };
    }
    await pipeline(createReadStream(found.path), createWriteStream(draft, { mode: 0o600, flush: true }), { signal });
    await rename(draft, file);
    await syncFolder(dirname(file));
    return { takenAt: new Date(header.takenAt), rows, bytes: (await stat(file)).size };
  } finally {
    await rm(draft, { force: true });
    await found.done();
  }
}
