/**
 * `npm run tenants -- export <slug> --to <folder>`: exit code 0 when its files are whole and in the folder, 2 when they could not be
 * written, 130 when stopped. A file has its name only when it is whole.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { say } from '../command-line.ts';
import { ConfigError } from '../config.ts';
import { query, sqlOf } from '../db/control.ts';
import { audit, bySystem } from '../domain/audit.ts';
import { megabytes } from '../domain/backup/tell.ts';
import { fileStamp } from '../domain/export/exports.ts';
import { type WrittenEntries, writeData } from '../domain/export/write-data.ts';
import { writeFiles } from '../domain/export/write-files.ts';
import { storeRef } from '../domain/provisioning-steps.ts';
import { AppError } from '../errors.ts';
import { syncFolder } from '../sync-folder.ts';
import { type AtWork, argumentsOf, onTenant } from './at-work.ts';

const USAGE = `Use: npm run tenants -- export <slug> --to <folder>
     Writes all data of a tenant to files in a folder (docs/export.md).`;
const SAY_EVERY_MS = 2000;

const databaseOf = query<{ name: string }>(
  'export_database',
  'select database_name as name from tenant_databases where org_id = $1',
);

export async function run(args: string[]): Promise<number> {
  const { slug, values } = argumentsOf(args, { to: { type: 'string' } } as const, USAGE);
  if (!values.to) throw new ConfigError(USAGE);
  const folder = resolve(values.to);
  return onTenant(slug, async (at) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await exportTo(folder, at);
    say('They are not encrypted: keep them accordingly.');
    return 0;
  });
}

async function exportTo(folder: string, { services, databaseUrl, tenant, signal }: AtWork): Promise<void> {
  const { control, components, servers } = services;
  const { id, slug } = tenant;
  if (tenant.archivedAt) throw new AppError('tenant_archived');
  const [database] = await sqlOf(control.pool).rows(databaseOf, [id]);
  if (!database) throw new AppError('tenant_not_ready');
  const url = (await servers.of(id)).urlOf(database.name);
  let said = Date.now();
  const progress = async (records: number, total: number) => {
    if (Date.now() - said < SAY_EVERY_MS) return;
    said = Date.now();
    say(`${records} of ${total} records`);
  };
  const began = fileStamp(new Date());
  const keep = async (ending: string, what: string, write: (draft: string) => Promise<WrittenEntries>) => {
    const file = join(folder, `${slug}-${began}.${ending}`);
    const draft = `${file}.partial`;
    try {
      const { bytes, entries } = await write(draft);
      await rename(draft, file);
      await syncFolder(folder);
      say(`${file}: ${entries} ${what}, ${megabytes(bytes)}`);
    } finally {
      await rm(draft, { force: true });
    }
  };
  await keep('ndjson.gz', 'records', (draft) => writeData({ databaseUrl, signal, progress }, { id, slug, url }, draft));
  const { objects } = components;
  if (objects)
    await keep('files.tar', 'objects', (draft) => writeFiles(objects, storeRef(tenant).storeName, draft, signal));
  await control.orm.em.fork().transactional(async (em) => {
    audit(em, bySystem, { action: 'tenant.export', orgId: id, target: { type: 'tenant', id } });
  });
}
