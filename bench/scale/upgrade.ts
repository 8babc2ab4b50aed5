/** How long `npm run tenants -- upgrade` takes to bring tenants to a version that was made up for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { makeNextVersion } from '../../tests/support/next-version.ts';
import { pinned } from '../machine.ts';
import { endsWithBench } from '../servers.ts';

/** What a version brings: a column, an index, a check of what is there. */
const STATEMENTS = `
  alter table contacts add column nickname text null;
  create index contacts_nickname_idx on contacts (nickname);
  alter table contacts add constraint contacts_name_short check (length(name) < 500);`;

export interface Upgrade {
  /** Brings all tenants that are behind there. @returns milliseconds. @throws what it said when it did not end well. */
  run(env: Record<string, string>): Promise<number>;
  /** To be called last. */
  remove(): void;
}

export function prepareUpgrade(): Upgrade {
  const { build, remove } = makeNextVersion(STATEMENTS);
  return {
    remove,
    async run(env) {
      const start = performance.now();
      const script = [join(build, 'tenants.js'), 'upgrade'];
      const [command, args] = pinned(undefined, [process.execPath, ...script]);
      const child: ChildProcess = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH, ...env },
      });
      endsWithBench(child);
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk) => (said += chunk));
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`the upgrade ended with ${code}:\n${said}`);
      return performance.now() - start;
    },
  };
}
