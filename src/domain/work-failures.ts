/** Why work on a tenant in the background failed, in a sentence for the one who runs the platform. */
import { describeFailure } from '../components/describe-failure.ts';
import { ConfigError } from '../config.ts';
import { DiskFull } from '../db/disk-space.ts';
import { AppError, isUnavailable } from '../errors.ts';
import { BadArchive } from './backup/archive.ts';
import { StepFailure } from './durable-run.ts';

const OF_FILES: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk that files are kept on is full.',
  EACCES: 'The folder that files are kept in cannot be written.',
  EROFS: 'The folder that files are kept in cannot be written.',
};

export function whyItFailed(error: unknown): string {
  if (error instanceof BadArchive) return `The archive cannot be used: ${error.message}.`;
  if ([ConfigError, AppError, StepFailure, DiskFull].some((foreseen) => error instanceof foreseen)) {
    return (error as Error).message;
  }
  // Files may be in an object store: which server it is that is away the error does not say.
  if (isUnavailable(error)) return `A server that it needs could not be reached: ${describeFailure(error)}.`;
  return OF_FILES[(error as NodeJS.ErrnoException).code ?? ''] ?? `It failed: ${describeFailure(error)}.`;
}
