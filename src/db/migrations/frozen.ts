/**
 * What migrations execute, and its checksums. A released one never changes: what it has made of a database would no longer be
 * what it says. `checksums.gen.ts` holds what was released; `npm run codegen` adds lines to it and changes none.
 */
import { createHash } from 'node:crypto';
import type { Migration } from '@mikro-orm/migrations';
import { ConfigError } from '../../config.ts';
import { CHECKSUMS } from './checksums.gen.ts';

export type MigrationClass = new (...args: ConstructorParameters<typeof Migration>) => Migration;

/** The statements of a migration, in the order in which they are executed. */
export function statementsOf(One: MigrationClass): string[] {
  // Only executing needs the driver.
  const migration = new One(undefined as never, undefined as never);
  migration.up();
  return migration.getQueries().map(String);
}

/** SHA-256 of what a migration executes, in hex; the same however it was compiled. */
export const checksumOf = (One: MigrationClass): string =>
  createHash('sha256')
    .update(JSON.stringify(statementsOf(One)))
    .digest('hex');

/** @throws {ConfigError} naming every migration that is not what was released under its name. */
export function refuseChanged(
  migrations: readonly MigrationClass[],
  released: Readonly<Record<string, string>> = CHECKSUMS,
): void {
  const changed = migrations.filter(
    (one) => released[one.name] !== undefined && released[one.name] !== checksumOf(one),
  );
  if (changed.length === 0) return;
  throw new ConfigError(
    `${changed.map(({ name }) => name).join(', ')} executes something else than what was released under that name: databases ` +
      'that have it would not be what this version takes them for. Undo the change, and make it in a migration of its own. One ' +
      'that was never released: remove its line from src/db/migrations/checksums.gen.ts and run "npm run codegen".',
  );
}
