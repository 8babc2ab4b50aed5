/**
 * `npm run prove:upgrades`: an upgrade of 500 tenants, 5 of them poisoned, killed at random and resumed 20 times, beside a gateway that
 * serves. `-- --tenants`, `--poisoned`, `--kills`, `--seed` for others. Exit code 1 on any loss.
 */
import { createHash, randomInt } from 'node:crypto';
import { commandArguments } from '../tests/support/command-arguments.ts';
import { Ground } from './ground.ts';
import { proveUpgrade } from './upgrade-proof.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

const USAGE = 'Usage: npm run prove:upgrades -- [--tenants 500] [--poisoned 5] [--kills 20] [--seed N]';

const { values } = commandArguments(USAGE, {
  options: {
    tenants: { type: 'string', default: '500' },
    poisoned: { type: 'string', default: '5' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: `${randomInt(2 ** 31)}` },
  },
});
const [tenants, poisoned, kills, seed] = [values.tenants, values.poisoned, values.kills, values.seed].map(Number);
if (
  ![tenants, poisoned, kills, seed].every((value) => Number.isInteger(value) && value! >= 0) ||
  poisoned! >= tenants!
) {
  print(USAGE);
  process.exit(2);
}
const stopping = new AbortController();
process.once('SIGINT', () => {
  stopping.abort();
  print('\nstopping; a second Ctrl-C does not wait');
  process.once('SIGINT', () => process.exit(130));
});

const began = performance.now();
const seconds = () => Math.round((performance.now() - began) / 1000);
let last = '';
const tell = (line: string) => {
  if (line !== last) print(`${String(seconds()).padStart(4)} s  ${line}`);
  last = line;
};

print(`seed ${seed}`);
const ground = await Ground.open();
try {
  const { losses, facts } = await proveUpgrade(ground, {
    tenants: tenants!,
    poisoned: poisoned!,
    kills: kills!,
    chance: (...name) =>
      createHash('sha256')
        .update([seed, ...name].join(' '))
        .digest()
        .readUInt32LE() /
      2 ** 32,
    tell,
    stopping: stopping.signal,
  });
  for (const fact of facts) print(fact);
  for (const loss of losses.slice(0, 20)) print(`LOST: ${loss}`);
  print(losses.length === 0 ? `nothing lost, ${seconds()} s` : `${losses.length} losses, ${seconds()} s`);
  process.exitCode = losses.length === 0 ? 0 : 1;
} finally {
  await ground.close();
}
