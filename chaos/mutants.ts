/** What the platform's promises rest on, taken away one by one: an experiment that still loses nothing would prove nothing. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../tests/support/built.ts';

export interface Mutant {
  /** What is taken away. */
  name: string;
  /** Below `dist`. */
  file: string;
  from: RegExp;
  /** As `replace` takes it. */
  to: string;
  /** The experiment that has to lose something, and in how many trials. */
  experiment: string;
  trials: number;
  /** What has to be lost: another loss, or an experiment that cannot go on, shows nothing. */
  expects: RegExp;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'the fence: a worker does not look whether its run is another’s by now',
    file: 'domain/provisioning.js',
    // What has ended is looked at besides: either alone keeps a frozen worker from changing anything here.
    from: /run\?\.attempt !== attempt\)([\s\S]*?)!run \|\| run\.state === ProvisioningState\.SUCCEEDED\)/,
    to: 'false)$1!run)',
    experiment: 'freeze',
    trials: 4,
    expects: /the frozen one changed something/,
  },
  {
    name: 'the REVOKE: a new database is open to everybody',
    file: 'db/tenant-cluster.js',
    from: /revoke all on database \$\{quote\(name\)\} from public;/,
    to: '',
    experiment: 'idempotency-again',
    trials: 1,
    expects: /lets everyone \(PUBLIC\) connect/,
  },
  {
    name: 'the compare-and-set: who deletes a super admin does not see that it was deleted itself',
    file: 'domain/super-admins.js',
    from: /lockMode: LockMode\.PESSIMISTIC_WRITE, (?=orderBy)/,
    to: '',
    experiment: 'race-admins',
    trials: 1,
    expects: /2 winners instead of 1/,
  },
  {
    name: 'duplicate names: a role that is there already is a failure',
    file: 'db/tenant-cluster.js',
    from: /new Set\(\['42P04', '42710', '23505'\]\)/,
    to: 'new Set()',
    experiment: 'kill-steps',
    trials: 4,
    expects: /never active/,
  },
  {
    name: 'steps that were begun are begun again: one is taken for done',
    file: 'domain/provisioning.js',
    from: /step\.state === StepState\.DONE\)\s+continue/,
    to: 'step.state === StepState.DONE || step.attempt > 0) continue',
    experiment: 'kill-steps',
    // The third point is the first at which a step was begun and nothing of its work was.
    trials: 4,
    expects: /never active/,
  },
  {
    // Also what makes up for a job that was never sent: to send it later alone loses nothing any more.
    name: 'the look for runs whose worker is gone, or that have no job',
    file: 'jobs/run-worker.js',
    from: /every\(SWEEP_MS, \(\) => this\.#sweep\(\)/,
    to: 'every(SWEEP_MS, async () => {}',
    experiment: 'kill-anywhere',
    trials: 4,
    expects: /all active after the kill/,
  },
  {
    name: 'the lock on an Idempotency-Key',
    file: 'domain/idempotency.js',
    from: /!held\?\.locked/,
    to: 'false',
    experiment: 'idempotency-at-once',
    trials: 1,
    expects: /\d answers: |tenants instead of one/,
  },
  {
    name: 'the look at what an Idempotency-Key was used for',
    file: 'domain/idempotency.js',
    from: /!fingerprints\.includes\(stored\.fingerprint\)/,
    to: 'false',
    experiment: 'idempotency-other-body',
    trials: 1,
    expects: /answers 201 +and 201/,
  },
  {
    name: 'the answer that is kept with an Idempotency-Key',
    file: 'domain/idempotency.js',
    from: /await em\.upsert\(IdempotencyKey, \{[\s\S]*?\}\);/,
    to: '',
    experiment: 'idempotency-cut',
    trials: 1,
    expects: /2 answers: /,
  },
  {
    name: 'slugs are unique',
    file: 'db/migrations/control/0001-initial.js',
    // Unique besides, and made from the slug: the name of the tenant's MongoDB database.
    from: /alter table "organizations" add constraint "organizations_slug_unique".*\n.*"organizations_mongo_database_unique".*;/,
    to: '',
    experiment: 'race-slug',
    trials: 1,
    expects: /\d+ winners instead of 1/,
  },
  {
    name: 'a limit is held against the count',
    file: 'db/migrations/tenant/0001-initial.js',
    from: /if total > most then/,
    to: 'if total > most + 1000 then',
    experiment: 'race-limits',
    trials: 1,
    expects: /agents under a limit of/,
  },
  {
    name: 'a PostgreSQL that is away is known as such',
    file: 'errors.js',
    from: /const AWAY = \/.+\/;/,
    to: 'const AWAY = /^never$/;',
    experiment: 'postgres-restart',
    trials: 1,
    expects: /: 500 /,
  },
  {
    name: 'a write is on the disk before it is said to be done',
    file: 'db/control.js',
    from: /const CONTROL_OPTIONS = `/,
    to: 'const CONTROL_OPTIONS = `-c synchronous_commit=off ',
    experiment: 'postgres-kill',
    trials: 3,
    expects: /was said to be done and is not there/,
  },
  {
    name: 'an ear for the end of the session that hears of changes',
    file: 'db/own-session.js',
    from: /this\.client\.on\('error', \(error\) => \{[\s\S]*?\}\);/,
    to: '',
    experiment: 'postgres-sessions',
    // In every other one all sessions end.
    trials: 2,
    expects: /ECONNREFUSED|ECONNRESET|socket hang up/,
  },
  {
    name: 'turns: one tenant may have all of them',
    file: 'db/server-pools.js',
    from: /each: TURNS_EACH/,
    to: 'each: 60',
    experiment: 'pool',
    trials: 1,
    expects: /another tenant waited/,
  },
  {
    name: 'room on the disk is looked at',
    file: 'db/disk-space.js',
    from: /if \(free >= needed\)/,
    to: 'if (true)',
    experiment: 'disk',
    trials: 1,
    expects: /were made on a disk that is nearly full|the reason: |write was answered/,
  },
  {
    name: 'sockets that have ended are forgotten',
    file: 'live/connections.js',
    from: /return \(\) => this\.#open\.delete\(connection\);/,
    to: 'return () => {};',
    experiment: 'leave',
    trials: 80,
    expects: /are counted as open/,
  },
  {
    name: 'the drain: SIGTERM ends the process at once',
    file: 'process.js',
    from: /app\.leave\(\);/,
    to: 'process.exit(0);',
    experiment: 'drain',
    // A quick gateway has none of its requests in hand most of the time.
    trials: 10,
    expects: /ECONN|socket hang up|closed/,
  },
];

/** Makes a copy of the compiled gateway with the change. @returns its folder, and what removes it. */
export function makeMutant({ name, file, from, to }: Pick<Mutant, 'name' | 'file' | 'from' | 'to'>): {
  build: string;
  remove(): void;
} {
  // Beside `dist`: it finds packages and the console where that does.
  const build = mkdtempSync(join(dist, '..', '.tmp-chaos-mutant-'));
  cpSync(dist, build, { recursive: true });
  const path = join(build, file);
  const original = readFileSync(path, 'utf8');
  const changed = original.replace(from, to);
  const remove = () => rmSync(build, { recursive: true, force: true });
  if (changed === original) {
    remove();
    throw new Error(`nothing was taken away for "${name}": ${file} has no ${from}`);
  }
  writeFileSync(path, changed);
  // The gateway starts with none that is not what was released under its name.
  const [, migration] = /^export class (\w+) extends Migration/m.exec(original) ?? [];
  if (migration) forgetRelease(build, migration);
  return { build, remove };
}

/** Makes a migration one that was never released. */
function forgetRelease(build: string, migration: string): void {
  const path = join(build, 'db', 'migrations', 'checksums.gen.js');
  const released = readFileSync(path, 'utf8');
  writeFileSync(path, released.replace(new RegExp(`^ *${migration}: .*$`, 'm'), ''));
}
