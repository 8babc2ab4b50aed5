/** How commands speak of backups. */
import { type ArchiveEnd, type ArchiveHeader, rowsIn, titleOf } from './archive.ts';

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1)} MB`;
export const duration = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
export const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** One line. */
export function describeArchive(header: ArchiveHeader, end: ArchiveEnd): string {
  const { takenAt, schema, installation } = header;
  const version = header.kind === 'control' ? `control plane's ${schema.control}` : `${schema.tenant}`;
  return `${titleOf(header)} of ${takenAt}, installation ${installation}, schema version ${version}, ${plural(end.tables.length, 'table')}, ${plural(rowsIn(end), 'row')}`;
}
