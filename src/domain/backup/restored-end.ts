/** Where a tenant's chain of audit entries ends after a restore, told to the processes that remember where it ended before. */
import type { Keys } from '../../db/secrets.ts';

/** The end of a chain, its hash in hex; 0 and nothing of one that has no links. */
export interface End {
  seq: number;
  hash: string;
}

/** Says that a restore by somebody with the secret moved the end. */
export const proofOfRestore = (keys: Keys, orgId: string, { seq, hash }: End): string =>
  keys.fingerprint('restore', orgId, String(seq), hash);
