import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from '@jest/globals';

/** Whether a program can be run from PATH. `scripts/test-tools.mjs` installs the ones that tests use. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A suite that needs something this machine may lack. Absent, it counts as skipped and says so on stderr. */
export function describeIf(name: string, available: boolean, reason: string, suite: () => void): void {
  if (!available) process.stderr.write(`skipped: ${name} (${reason})\n`);
  (available ? describe : describe.skip)(name, suite);
}

/** The same for one test. */
export function testIf(name: string, available: boolean, reason: string, body: () => Promise<void>): void {
  if (!available) process.stderr.write(`skipped: ${name} (${reason})\n`);
  (available ? test : test.skip)(name, body);
}
