import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { committedDescription, fuzz } from './fuzz/fuzz.ts';
import { startTarget, type TargetApp } from './fuzz/gateway.ts';
import { FAULTS, plant, withPlanted } from './fuzz/planted.ts';
import { described } from './fuzz/report.ts';
import { fuzzSockets } from './fuzz/sockets.ts';

/** Of what is drawn: a failure has to come again. */
const SEED = 20261128;
/** A quarter of a minute alone; a machine with other things to do takes its time. */
const BUSY_MS = 300_000;

let target: TargetApp;
beforeAll(async () => {
  target = await startTarget(plant);
});
afterAll(() => target?.stop());

test(
  'a short run over all operations finds nothing',
  async () => {
    const { tally, findings } = await fuzz(target, { seed: SEED, requests: 800, tenants: 10 });
    expect(findings.map((finding) => described(finding, target.url))).toEqual([]);
    expect(tally.sent).toBeGreaterThanOrEqual(800);
    expect(tally.hostile / tally.sent).toBeGreaterThan(0.4);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  },
  BUSY_MS,
);

test('nothing that is said on a socket harms the process', async () => {
  expect(await fuzzSockets(target, { seed: SEED, conversations: 200 })).toEqual([]);
  expect(target.log().filter((line) => /"level":[56]0/.test(line))).toEqual([]);
});

/** Alone, since nothing else can be compared while it lingers. */
const GROUPS = Object.entries(
  Object.groupBy(Object.keys(FAULTS), (name) => (name === 'lingers' ? 'alone' : 'together')),
);

test.each(GROUPS)(
  'each fault that is planted %s is found, and named by its operation',
  async (_, names = []) => {
    const { findings } = await fuzz(target, {
      seed: SEED,
      requests: 30 * names.length,
      only: '/api/planted',
      document: withPlanted(committedDescription(), names),
      tenants: 5,
      patienceMs: 1000,
      settleMs: 1000,
    });
    for (const name of names) {
      const named = findings.filter(({ draft }) => draft.operation === `POST /api/planted/${name}`);
      expect({ name, found: named.map(({ oracle }) => oracle) }).toEqual({
        name,
        found: expect.arrayContaining([FAULTS[name]!.breaks]),
      });
    }
  },
  BUSY_MS,
);
