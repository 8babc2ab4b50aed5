/**
 * `npm run bench -- W1 W2 --rounds 5 --seconds 3`: the gateway measured beside other servers (docs/performance.md). Without
 * names, every workload. Ends with 1 when a goal is fallen short of.
 */
import { dirname, join } from 'node:path';
import { ensureBuilt } from '../tests/support/built.ts';
import { commandArguments } from '../tests/support/command-arguments.ts';
import { cleanUp } from '../tests/support/gateway-process.ts';
import { endOnSignals } from './ending.ts';
import { Fleet } from './fleet.ts';
import { Load } from './load/load.ts';
import { choosePins, machineFacts, moveTo, type Pins } from './machine.ts';
import { openPlatform } from './platform.ts';
import { writeDocs } from './report/docs.ts';
import { findingsText, outcomeText } from './report/print.ts';
import { profileText } from './report/profile.ts';
import { keep, RESULTS, readResults } from './results.ts';
import { endServers } from './servers.ts';
import { workloads } from './workloads/index.ts';
import { type Finding, holds, type Settings, type Workload } from './workloads/workload.ts';

const USAGE = `Usage: npm run bench -- [W1 W2 ...] [--rounds 5] [--seconds 3] [--connections 32]
       npm run bench -- W2 --profile    where the gateway's time goes
       npm run bench -- --list
       npm run bench -- --docs          writes the last results into docs/performance.md`;

const say = (text: string) => console.log(text);
/** Ends what the workloads run on. */
let close = async () => {};

async function main(): Promise<number> {
  const { values, positionals } = commandArguments(USAGE, {
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      docs: { type: 'boolean' },
      profile: { type: 'boolean' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '32' },
    },
  });
  if (values.list) {
    for (const { name, title } of workloads) say(`${name.padEnd(4)} ${title}`);
    return 0;
  }
  if (values.docs) {
    for (const file of await writeDocs(await readResults())) say(file);
    return 0;
  }
  const settings: Settings = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
  };
  const names = positionals.map((name) => name.toUpperCase());
  const unknown = names.filter((name) => !workloads.some((workload) => workload.name === name));
  if (unknown.length > 0 || !Object.values(settings).every((value) => value > 0)) {
    say(unknown.length > 0 ? `There is no ${unknown.join(', ')}.\n${USAGE}` : USAGE);
    return 2;
  }
  if (process.platform !== 'linux') {
    say('The bench reads processor time and memory from /proc, which only Linux has.');
    return 2;
  }
  ensureBuilt();
  const chosen = workloads.filter(({ name }) => names.length === 0 || names.includes(name));
  const pins = choosePins();
  say(`On ${machineFacts(pins).cores} cores: ${pins.said}.`);
  moveTo(pins.load);
  for (const [tenants, group] of Map.groupBy(chosen, ({ tenants }) => tenants)) {
    await runGroup(pins, tenants, group, settings, values.profile);
  }
  return await sumUp(chosen);
}

/** Workloads on the same number of tenants. */
async function runGroup(
  pins: Pins,
  tenants: number,
  group: Workload[],
  settings: Settings,
  withProfile = false,
): Promise<void> {
  const profile = withProfile ? join(dirname(RESULTS), `profile-${Date.now()}`) : undefined;
  const platform = await openPlatform(pins, { tenants, say, profile });
  const fleet = new Fleet(platform);
  const load = new Load(pins.load);
  const since = Number(process.hrtime.bigint() / 1000n);
  close = async () => {
    load.close();
    await platform.close();
  };
  try {
    for (const { name, title, run } of group) {
      say(`\n${name}  ${title}`);
      const outcome = await run({ platform, fleet, load, settings, say });
      say(`\n${outcomeText(name, outcome)}`);
      await keep(name, { title, at: new Date().toISOString(), settings, machine: machineFacts(pins), ...outcome });
    }
  } finally {
    await close();
  }
  if (profile) say(`\n${profileText(profile, since)}`);
}

async function sumUp(chosen: Workload[]): Promise<number> {
  const results = await readResults();
  const findings = chosen.flatMap(({ name }) =>
    results[name]!.findings.map((finding): [string, Finding] => [name, finding]),
  );
  say(`\n${findingsText(findings)}\n\nAll of it is in ${RESULTS}.`);
  return findings.every(([, finding]) => holds(finding)) ? 0 : 1;
}

await endOnSignals(main, say, async () => {
  await endServers();
  await close().catch(() => {});
  await cleanUp();
});
