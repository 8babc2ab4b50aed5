import { expect } from '@jest/globals';
import { Keys } from '../../src/db/keys.ts';
import { type Diagnosis, examine } from '../../src/domain/doctor.ts';
import { JWT_SECRET } from './app.ts';

/** What the doctor says of an installation on the run's server, where other tests have theirs. */
export function examination(databaseUrl: string, secret = JWT_SECRET): Promise<Diagnosis> {
  return examine({ databaseUrl, keys: new Keys(secret), ownServer: false });
}

/** Every tenant is whole and nothing is left over. @returns what was counted. */
export async function expectNothingWrong(databaseUrl: string): Promise<Diagnosis['counts']> {
  const { findings, counts } = await examination(databaseUrl);
  expect(findings).toEqual([]);
  return counts;
}
