/**
 * `npm run scale`: what grows with the number of tenants, of their databases and of gateways, and what does not (docs/scale.md).
 * Ends with 1 when a part could not be measured.
 */
import { tmpdir } from 'node:os';
import { ensureBuilt } from '../tests/support/built.ts';
import { commandArguments } from '../tests/support/command-arguments.ts';
import { cleanUp } from '../tests/support/gateway-process.ts';
import { endOnSignals } from './ending.ts';
import { Load } from './load/load.ts';
import { allCores, choosePins, machineFacts, moveTo, type Pins } from './machine.ts';
import { openPlatform } from './platform.ts';
import { type Curve, keepPart, readScale, SCALE } from './scale/curves.ts';
import { lacksRoom, measureDatabases } from './scale/databases.ts';
import { measureProcesses } from './scale/processes.ts';
import { partText, writeScaleDocs } from './scale/report.ts';
import { measureRows } from './scale/rows.ts';
import { endServers } from './servers.ts';

const USAGE = `Usage: npm run scale -- [rows] [databases] [processes]     all three without a name
         --tenants 100000   at most so many tenants in the control plane, by powers of ten
         --max 2000         at most so many of them with databases, of 10, 100, 500 and 2000
         --gateways 3       at most so many gateway processes
         --seconds 1        of measuring, for each thing at each size
       npm run scale -- --docs   writes the last results into docs/scale.md`;

const PARTS = ['rows', 'databases', 'processes'];
const DATABASES = [10, 100, 500, 2000];
const say = (text: string) => console.log(text);
const stop = new AbortController();
let close = async () => {};

/** At most this many, and this many itself. */
const upTo = (sizes: number[], most: number) => [...sizes.filter((size) => size < most), most];

async function main(): Promise<number> {
  const { values, positionals } = commandArguments(USAGE, {
    allowPositionals: true,
    options: {
      docs: { type: 'boolean' },
      tenants: { type: 'string', default: '100000' },
      max: { type: 'string', default: '2000' },
      gateways: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '1' },
    },
  });
  if (values.docs) {
    for (const file of await writeScaleDocs(await readScale())) say(file);
    return 0;
  }
  const [tenants, max, gateways, seconds] = [values.tenants, values.max, values.gateways, values.seconds].map(Number);
  const unknown = positionals.filter((name) => !PARTS.includes(name));
  if (
    ![tenants, max, gateways].every((value) => Number.isInteger(value) && value! > 0) ||
    !(seconds! > 0) ||
    unknown.length > 0
  ) {
    say(USAGE);
    return 2;
  }
  if (process.platform !== 'linux') {
    say('Processor time and memory are read from /proc, which only Linux has.');
    return 2;
  }
  const asked = (name: string) => positionals.length === 0 || positionals.includes(name);
  const databases = upTo(DATABASES, max!);
  if (asked('databases')) {
    const lacking = await lacksRoom(tmpdir(), max!);
    if (lacking) {
      say(lacking);
      return 2;
    }
  }
  say(estimate(asked, tenants!, max!, gateways!, seconds!));
  ensureBuilt();
  const pins = choosePins();
  const began = performance.now();
  if (asked('rows') || asked('processes')) {
    const sizes = upTo([1, 10, 100, 1000, 10_000], tenants!);
    await onePlatform(pins, sizes, { seconds: seconds!, gateways: gateways!, asked });
  }
  if (asked('databases')) {
    say(`\ndatabases  ${databases.join(', ')} tenants with databases, over three servers`);
    moveTo(allCores(pins));
    const measuring = measureDatabases({ sizes: databases, say, signal: stop.signal });
    close = () =>
      measuring.then(
        () => {},
        () => {},
      );
    await finish(pins, 'databases', await measuring, []);
  }
  say(
    `\nTook ${Math.round((performance.now() - began) / 1000)} s. All of it is in ${SCALE}; npm run scale -- --docs writes it into docs/scale.md.`,
  );
  return 0;
}

/** Seconds, as measured on two quiet cores. */
function estimate(
  asked: (name: string) => boolean,
  tenants: number,
  max: number,
  gateways: number,
  seconds: number,
): string {
  const rows = 15 + Math.ceil(Math.log10(tenants) + 1) * 5 * (seconds + 1) + tenants / 5000;
  const parts = { rows, processes: gateways * 2 * (seconds + 5), databases: 10 + max / 6 };
  const all = Object.entries(parts)
    .filter(([name]) => asked(name))
    .reduce((sum, [, part]) => sum + part, 0);
  const minutes = Math.ceil(all / 60);
  return `This takes about ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} on a quiet machine; Ctrl-C ends it and removes what it made.`;
}

interface Wanted {
  seconds: number;
  gateways: number;
  asked(name: string): boolean;
}

async function onePlatform(pins: Pins, sizes: number[], { seconds, gateways, asked }: Wanted): Promise<void> {
  moveTo(pins.load);
  const platform = await openPlatform(pins, { tenants: 1, real: 1, env: { RATE_LIMITS: 'sign_in=0' }, say });
  const load = new Load(pins.load);
  close = async () => {
    load.close();
    await platform.close();
  };
  try {
    if (asked('rows')) {
      say(`\nrows  ${sizes.map((size) => size.toLocaleString('en')).join(', ')} tenants in the control plane`);
      await finish(pins, 'rows', await measureRows({ platform, load, sizes, seconds, say }), []);
    }
    if (asked('processes')) {
      say(`\nprocesses  1 to ${gateways} gateways on one control database`);
      const note =
        `The load, PostgreSQL and the gateways share ${machineFacts(pins).cores} cores here: with as many gateways as cores these are busy, and ` +
        'more gateways share what there is. What it shows is that they do not stand in each other\u2019s way.';
      await finish(
        pins,
        'processes',
        await measureProcesses({ platform, load, most: gateways, seconds: 3 * seconds, say }),
        [note],
      );
    }
  } finally {
    await close();
    close = async () => {};
  }
}

async function finish(pins: Pins, name: string, curves: Curve[], notes: string[]): Promise<void> {
  const part = { at: new Date().toISOString(), machine: machineFacts(pins), curves, notes };
  say(partText(part));
  await keepPart(name, part);
}

await endOnSignals(main, say, async () => {
  stop.abort();
  await endServers();
  await close().catch(() => {});
  await cleanUp();
});
