/**
 * `npm run tenants -- upgrade`: brings all tenants that are behind to the newest schema version, and shows how it goes. It is one more
 * process that works on them, beside the gateways that run. Exit code 0 when all are there, 1 when some are set aside or it does
 * not run, 2 when nothing could be done, 130 after Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { interruptible, refusalsTold, say, withInstallation } from '../command-line.ts';
import { ConfigError, readConfig } from '../config.ts';
import { plural } from '../domain/backup/tell.ts';
import { plannedTenants, upgradePlan } from '../domain/upgrades/plan.ts';
import {
  cancelUpgrade,
  pauseUpgrade,
  resumeUpgrade,
  retryTenantUpgrade,
  startUpgradeIn,
} from '../domain/upgrades/runs.ts';
import type { UpgradeWish } from '../domain/upgrades/settings.ts';
import { UpgradeInput } from '../schema/upgrade-inputs.ts';
import { detailsOf } from '../schema/validate.ts';
import { byCommand, type Installed, newestRun, tenantBySlug, withUpgrades } from './installed.ts';
import { describeRun, exitCodeOf, follow, listSetAside } from './upgrade-progress.ts';

const USAGE = `Use: npm run tenants -- upgrade [--version <n>] [--canary <tenants> [--go-on]] [--wave-size <tenants>]
         [--concurrency <tenants>] [--failure-budget <tenants>] [--lock-timeout <ms>] [--retries <n>]
                                        starts an upgrade and shows how it goes
     npm run tenants -- upgrade --plan       which tenants it would bring to which version; nothing is changed
     npm run tenants -- upgrade --dry-run    the same with the statements that would be executed
     npm run tenants -- upgrade --status     how the newest upgrade stands
     npm run tenants -- upgrade --follow     shows how it goes
     npm run tenants -- upgrade --pause | --resume [--failure-budget <tenants>] | --cancel
     npm run tenants -- upgrade --retry <slug>   tries a tenant again that was set aside`;

const VERBS = ['plan', 'dry-run', 'status', 'follow', 'pause', 'resume', 'cancel', 'retry'] as const;
type Verb = (typeof VERBS)[number];

/** Options, and what they are called in an upgrade's settings. */
const NUMBERS = {
  version: 'version',
  canary: 'canary',
  'wave-size': 'waveSize',
  concurrency: 'concurrency',
  'failure-budget': 'failureBudget',
  'lock-timeout': 'lockTimeoutMs',
  retries: 'retries',
} as const;

interface Arguments {
  verb?: Verb;
  wish: UpgradeWish;
  slug?: string;
}

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(args: string[]): Arguments {
  try {
    const flags = ['plan', 'dry-run', 'status', 'follow', 'pause', 'resume', 'cancel', 'go-on'] as const;
    const { values } = parseArgs({
      args,
      options: {
        ...Object.fromEntries(flags.map((name) => [name, { type: 'boolean' as const }])),
        ...Object.fromEntries([...Object.keys(NUMBERS), 'retry'].map((name) => [name, { type: 'string' as const }])),
      },
    });
    const given = values as Record<string, string | boolean | undefined>;
    const verbs = VERBS.filter((name) => given[name] !== undefined);
    if (verbs.length > 1) throw new Error(`One of ${verbs.map((name) => `--${name}`).join(' and ')}.`);
    return { verb: verbs[0], slug: given.retry as string | undefined, wish: wishIn(given) };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`.trim());
  }
}

function wishIn(given: Record<string, string | boolean | undefined>): UpgradeWish {
  const numbers = Object.entries(NUMBERS).flatMap(([option, name]) => {
    const text = given[option];
    if (text === undefined) return [];
    if (!/^\d+$/.test(String(text))) throw new Error(`--${option} must be a whole number.`);
    return [[name, Number(text)] as const];
  });
  const wish = { ...Object.fromEntries(numbers), ...(given['go-on'] ? { pauseAfterCanary: false } : {}) };
  const { error, data } = UpgradeInput.rules.safeParse(wish);
  if (!error) return data;
  const optionOf = (field: string) => Object.entries(NUMBERS).find(([, name]) => name === field)?.[0] ?? field;
  throw new Error(
    detailsOf(error.issues)
      .map(({ field, message }) => `--${optionOf(field)} ${message}.`)
      .join('\n'),
  );
}

/** @returns the exit code. */
export async function run(args: string[]): Promise<number> {
  if (args.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const wanted = readArguments(args);
  return interruptible((signal) =>
    withInstallation(readConfig(process.env), (found) =>
      withUpgrades(found, (installed) =>
        refusalsTold(
          () => act(installed, wanted, signal),
          ({ message, details = [] }) =>
            [message, ...details.map((detail) => `${detail.field} ${detail.message}.`)].join('\n'),
        ),
      ),
    ),
  );
}

async function act(installed: Installed, { verb, wish, slug }: Arguments, signal: AbortSignal): Promise<number> {
  const asking = byCommand(installed);
  if (verb === 'plan' || verb === 'dry-run') return showPlan(installed, wish, verb === 'dry-run');
  if (verb === undefined) {
    const run = await asking.em.transactional((em) => startUpgradeIn(em, asking, 'npm run tenants', wish));
    if (run.total === 0) say(`All tenants are at schema version ${run.toVersion}.`);
    return run.total === 0 ? 0 : follow(installed, run.id, signal);
  }
  if (verb === 'retry') {
    const { runId } = await retryTenantUpgrade(asking, await tenantBySlug(installed, slug!));
    return follow(installed, runId, signal);
  }
  const newest = await newestRun(installed);
  if (!newest) throw new ConfigError('There was no upgrade yet.');
  if (verb === 'follow') return follow(installed, newest.id, signal);
  if (verb === 'resume') {
    await resumeUpgrade(asking, newest.id, wish.failureBudget);
    return follow(installed, newest.id, signal);
  }
  const run =
    verb === 'pause'
      ? await pauseUpgrade(asking, newest.id)
      : verb === 'cancel'
        ? await cancelUpgrade(asking, newest.id)
        : newest;
  say(describeRun(run));
  await listSetAside(installed, run.id);
  return verb === 'status' ? exitCodeOf(run) : 0;
}

async function showPlan(installed: Installed, wish: UpgradeWish, statements: boolean): Promise<number> {
  const plan = await upgradePlan(installed, wish);
  if (plan.total === 0) {
    say(`All tenants are at schema version ${plan.toVersion}.`);
    return 0;
  }
  const took =
    plan.estimateSeconds === undefined ? '' : `, about ${plan.estimateSeconds} s by what tenants took lately`;
  say(
    `${plural(plan.total, 'tenant')} to be brought to schema version ${plan.toVersion}, ${plan.concurrency} at a time${took}`,
  );
  for (const { wave, slug, fromVersion } of await plannedTenants(installed, plan, null)) {
    say(`  ${wave === 0 ? 'canary' : `wave ${wave}`}  ${slug}  from version ${fromVersion}`);
  }
  if (!statements) return 0;
  for (const { version, name, checksum, statements } of plan.migrations) {
    say(`\n-- version ${version}: ${name}, sha256 ${checksum}`);
    for (const statement of statements) say(statement.trim());
  }
  return 0;
}
