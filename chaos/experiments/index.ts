/** All of them, in the order in which they are carried out. */
import type { Experiment } from '../experiment.ts';
import { disk } from './disk.ts';
import { drain } from './drain.ts';
import { freeze } from './freeze.ts';
import { idempotency } from './idempotency.ts';
import { killAnywhere } from './kill-anywhere.ts';
import { killAtSteps } from './kill-at-steps.ts';
import { leave } from './leave.ts';
import { pool } from './pool.ts';
import { kill, restart, sessions } from './postgres.ts';
import { races } from './races.ts';

export const experiments: readonly Experiment[] = [
  killAtSteps,
  killAnywhere,
  freeze,
  restart,
  kill,
  sessions,
  ...idempotency,
  ...races,
  leave,
  pool,
  disk,
  drain,
];
