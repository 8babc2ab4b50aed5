/** Why a tenant could not be upgraded, for those who have to mend it, and whether that may pass by itself. */
import { MigrationFailed, UnknownSchema } from '../../db/tenant-schema.ts';
import type { UpgradeRun } from '../../entities/control/upgrade-run.ts';
import { AppError, databaseError, isUnavailable } from '../../errors.ts';

const LOCK_NOT_AVAILABLE = '55P03';
/** Deadlocks, transactions that cannot be put in an order, and whatever the server has too little of. */
const PASSING = /^(40P01|40001|53)/;

/** Whether trying again may help without anybody doing anything. */
export const mayPass = (failure: unknown): boolean =>
  isUnavailable(failure) || isAway(failure) || PASSING.test(databaseError(failure)?.code ?? '');

/** What is told before anybody was asked, of a server that is known to be away. */
const isAway = (failure: unknown): failure is AppError => failure instanceof AppError && failure.code === 'unavailable';

/** A sentence. The server's own words are part of it, without what it quotes of rows. */
export function reasonOf(failure: unknown, { lockTimeoutMs }: Pick<UpgradeRun, 'lockTimeoutMs'>): string {
  if (failure instanceof UnknownSchema) return failure.message;
  if (isAway(failure)) return failure.message;
  const database = databaseError(failure);
  const where = failure instanceof MigrationFailed ? `${failure.migration}: ` : '';
  if (database?.code === LOCK_NOT_AVAILABLE) {
    return `${where}Somebody held a lock in its database for longer than ${lockTimeoutMs} ms.`;
  }
  if (database && isUnavailable(failure)) return `Its database could not be reached: ${database.message}.`;
  if (database) return `${where}${database.message} (SQLSTATE ${database.code}).`;
  return 'An unexpected error; the log of the gateway names it.';
}
