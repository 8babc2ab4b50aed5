/** Where a tenant's chain of audit entries ends after a restore, told to the processes that remember where it ended before. */
import { nowMs } from '../../clock.ts';
import type { Keys } from '../../db/keys.ts';

/** The end of a chain, its hash in hex; 0 and nothing of one that has no links. */
export interface End {
  seq: number;
  hash: string;
}

/** After its key was replaced. Milliseconds. */
const FORMER_MS = 60_000;

const said = (orgId: string, { seq, hash }: End) => ['restore', orgId, String(seq), hash];

/** Says that a restore by somebody with the secret moved the end. */
export const proofOfRestore = (keys: Keys, orgId: string, end: End): string => keys.fingerprint(...said(orgId, end));

/**
 * Whether somebody with the secret in use said it, or with the one before in the last moments of that: whoever has it proves
 * nothing afterwards. Processes do not go over in the same millisecond, and a restore may be about to commit.
 */
export function provesRestore(keys: Keys, proof: string, orgId: string, end: End): boolean {
  const now = nowMs();
  const times = [now, Number.POSITIVE_INFINITY, now - FORMER_MS];
  return times.some((time) => keys.fingerprintOf(time, ...said(orgId, end)) === proof);
}
