/**
 * `npm run audit:verify`: exit code 0 when every log is as it was written, 1 when one is not, 2 when it could not look.
 * Changes nothing. `-- --tenant <slug>` looks at one tenant's log, `-- --head <seq>:<hash>` holds the end of the chain
 * against one that was noted before.
 */
import { parseArgs } from 'node:util';
import { neededKeys, runCommand, say, withInstallation } from './command-line.ts';
import { ConfigError, readConfig } from './config.ts';
import type { Head } from './domain/audit-chain.ts';
import { type ChainReport, verifyAudit } from './domain/audit-verification.ts';
import type { Verdict } from './domain/chain-walk.ts';

const USAGE = 'Use: npm run audit:verify [-- [--tenant <slug>] [--head <seq>:<hash>]]';

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(): { tenant?: string; head?: Head } {
  let values: { tenant?: string; head?: string };
  try {
    values = parseArgs({ options: { tenant: { type: 'string' }, head: { type: 'string' } } }).values;
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
  const { tenant, head } = values;
  if (head === undefined) return { tenant };
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(head) ?? [];
  if (!seq || !hash) throw new ConfigError(`${head} is no end of a chain, as this command prints it.\n${USAGE}`);
  return { tenant, head: { seq: Number(seq), hash: Buffer.from(hash, 'hex') } };
}

function line({ name, verdict, failure }: ChainReport): string {
  if (!verdict) return `${name}: could not be verified: ${failure}`;
  const { entries, unlinked, head, broken } = verdict;
  if (broken) return `${name}: BROKEN: ${whereItBroke(broken)}`;
  const parts = [
    `${entries} entries`,
    'whole',
    ...(unlinked > 0 ? [`${unlinked} not linked yet`] : []),
    ...(head ? [`head ${head.seq}:${head.hash.toString('hex')}`] : []),
  ];
  return `${name}: ${parts.join(', ')}`;
}

function whereItBroke({ seq, id, action, time, problem }: NonNullable<Verdict['broken']>): string {
  const entry = [seq && `entry ${seq}`, id, action, time && `of ${time}`].filter(Boolean).join(' ');
  return entry ? `${entry}: ${problem}` : problem;
}

await runCommand(async () => {
  const wanted = readArguments();
  const reports = await withInstallation(readConfig(process.env), (found) =>
    verifyAudit({ databaseUrl: found.databaseUrl, keys: neededKeys(found), ...wanted }),
  );
  for (const report of reports) say(line(report));
  if (reports.some(({ verdict }) => verdict?.broken)) return 1;
  return reports.some(({ failure }) => failure) ? 2 : 0;
});
