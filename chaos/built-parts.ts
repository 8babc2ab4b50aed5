/** Parts of a compiled gateway, for plain Node, which cannot load the sources that have decorators. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const load = (build: string, file: string) => import(pathToFileURL(join(build, file)).href);

export const doctorOf = (build: string): Promise<typeof import('../src/domain/doctor.ts')> =>
  load(build, 'domain/doctor.js');
export const verificationOf = (build: string): Promise<typeof import('../src/domain/audit-verification.ts')> =>
  load(build, 'domain/audit-verification.js');
export const stepsOf = (build: string): Promise<typeof import('../src/domain/provisioning-steps.ts')> =>
  load(build, 'domain/provisioning-steps.js');
