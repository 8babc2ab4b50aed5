/** Where a tenant's chain of audit entries ends after a restore, told to the processes that remember where it ended before. */
import type { Keys } from '../../db/keys.ts';

/** The end of a chain, its hash in hex; 0 and nothing of one that has no links. */
export interface End {
  seq: number;
  hash: string;
}

const said = (orgId: string, { seq, hash }: End) => ['restore', orgId, String(seq), hash];

/** Says that a restore by somebody with the secret moved the end. */
export const proofOfRestore = (keys: Keys, orgId: string, end: End): string => keys.fingerprint(...said(orgId, end));

export const provesRestore = (keys: Keys, proof: string, orgId: string, end: End): boolean =>
  keys.fingerprints(...said(orgId, end)).includes(proof);
