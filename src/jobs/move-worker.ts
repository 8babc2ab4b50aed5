import { runMove } from '../domain/move/run.ts';
import type { RunKind } from './run-worker.ts';

export const MOVES: RunKind = {
  queue: 'tenant.move',
  table: 'tenant_moves',
  unfinished: `run.state not in ('finished', 'undone', 'cancelled', 'failed')`,
  // Whoever asks for something just when a job ends finds it still there, and sends none.
  needsJob: `run.state in ('copying', 'switching', 'finishing', 'undoing', 'cancelling')`,
  // Each keeps a connection or two on both servers, and their disks busy.
  concurrency: 2,
  noun: 'move',
  work: runMove,
};
