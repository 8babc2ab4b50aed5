/** Makes a whole backup: an archive each of the control plane and of the tenants that are wanted. */
import { join } from 'node:path';
import pLimit from 'p-limit';
import { describeFailure } from '../../components/describe-failure.ts';
import { ConfigError } from '../../config.ts';
import type { KeptFiles } from '../kept-files.ts';
import { CONTROL_ARCHIVE, removeOlder, tenantArchive, UnfinishedBackup } from './folder.ts';
import { backUpControl, backUpTenant, refuseHalfCopied, type Source, type Taken, tenantsToBackUp } from './take.ts';
import { archivesToBackUp, backUpArchive } from './take-archived.ts';
import { duration, megabytes, plural } from './tell.ts';

export interface Wanted {
  /** The folder that backups are kept in. */
  out: string;
  /** A tenant by its slug or id; `from` names another server than its own, on which an abandoned move has kept its database. */
  what: 'all' | 'control' | { tenant: string; from?: string };
  /** So many of the same are left, this one included; all without it. */
  keep?: number;
}

export interface BackupOptions extends Source, Wanted {
  /** Where archives of archived tenants are. @param code the installation's. */
  keptAt(code: string): KeptFiles;
  say(line: string): void;
}

/** Tenants read at the same time: each takes three connections, and the gateway beside it needs the disk as well. */
const AT_ONCE = 3;

interface Part {
  file: string;
  title: string;
  take(file: string): Promise<Taken>;
}

/**
 * The control plane first, then tenant by tenant, each of an instant of its own: the archive of a tenant is whole by itself, and
 * a restore brings its rows of the control plane along (docs/decisions/0025).
 *
 * @returns the folder.
 */
export async function backUp(options: BackupOptions): Promise<string> {
  const { out, keep, say, signal } = options;
  const { name, parts } = await partsOf(options);
  const began = performance.now();
  const unfinished = await UnfinishedBackup.open(out, name);
  try {
    const done = await unfinished.done();
    const left = parts.filter(({ file }) => !done.has(file));
    if (left.length < parts.length) say(`goes on with ${unfinished.path}: ${parts.length - left.length} are there`);
    const total = await takeAll(options, left, unfinished.path);
    signal.throwIfAborted();
    const folder = await unfinished.finish();
    const ms = performance.now() - began;
    say(`${folder}: ${plural(parts.length, 'archive')}, ${megabytes(total.bytes)} written in ${duration(ms)}`);
    for (const old of keep ? await removeOlder(out, name, keep) : []) say(`removed ${old}`);
    return folder;
  } catch (error) {
    const whole = await unfinished.leave();
    if (whole > 0) say(`${plural(whole, 'archive')} stay in ${unfinished.path}: the same command goes on from there`);
    throw error;
  }
}

async function partsOf(options: BackupOptions): Promise<{ name: string; parts: Part[] }> {
  const { what } = options;
  const control: Part = {
    file: CONTROL_ARCHIVE,
    title: 'control plane',
    take: (file) => backUpControl(options, file),
  };
  if (what === 'control') return { name: 'control', parts: [control] };
  const part = <T extends { id: string; slug: string }>(
    tenant: T,
    take: (tenant: T, file: string) => Promise<Taken>,
  ) => ({
    ...tenant,
    file: tenantArchive(tenant.slug),
    title: `tenant ${tenant.slug}`,
    take: (file: string) => take(tenant, file),
  });
  const tenants = [
    ...(await tenantsToBackUp(options, what === 'all' ? undefined : what.from)).map((one) =>
      part(one, (tenant, file) => backUpTenant(options, tenant, file)),
    ),
    ...(await archivesToBackUp(options)).map((one) =>
      part(one, (tenant, file) => backUpArchive(options, options.keptAt(tenant.code), tenant, file)),
    ),
  ];
  if (what === 'all') return { name: 'all', parts: [control, ...tenants] };
  const one = tenants.find(({ id, slug }) => slug === what.tenant || id === what.tenant);
  if (!one) throw new ConfigError(`There is no tenant ${what.tenant}, or it is not made yet.`);
  if (what.from !== undefined) await refuseHalfCopied(options, one, what.from);
  // With a sign that no slug has: a series of its own, which never goes on with an archive of what another server has.
  return { name: `tenant-${one.slug}${what.from === undefined ? '' : `@${what.from}`}`, parts: [one] };
}

/** Of those that fail the others do not suffer; the backup as a whole does. */
async function takeAll({ say, signal }: BackupOptions, parts: Part[], folder: string): Promise<{ bytes: number }> {
  const limit = pLimit(AT_ONCE);
  let bytes = 0;
  let ended = 0;
  const failures: string[] = [];
  const takeOne = async ({ file, title, take }: Part) => {
    if (signal.aborted) return;
    const began = performance.now();
    try {
      const taken = await take(join(folder, file));
      bytes += taken.bytes;
      ended += 1;
      const took = duration(performance.now() - began);
      say(`${ended}/${parts.length} ${title}: ${plural(taken.rows, 'row')}, ${megabytes(taken.bytes)}, ${took}`);
    } catch (error) {
      if (signal.aborted) return;
      failures.push(title);
      say(`${title}: could not be backed up: ${describeFailure(error)}`);
    }
  };
  // The control plane's comes first: what it lists is then in the tenants' archives, or later.
  const [first, ...others] = parts;
  if (first) await takeOne(first);
  await Promise.all(others.map((part) => limit(takeOne, part)));
  signal.throwIfAborted();
  if (failures.length > 0) throw new ConfigError(`Not backed up: ${failures.join(', ')}.`);
  return { bytes };
}
