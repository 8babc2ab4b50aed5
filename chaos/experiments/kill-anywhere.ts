/** One of two gateways is killed at a random moment while both make tenants and take requests for more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Actor, active } from '../../tests/support/actors.ts';
import type { Experiment, Tally } from '../experiment.ts';
import { Pair } from '../pair.ts';

/** Asked for at each of the two gateways. */
const TENANTS = 3;
/** By when all of them are made as a rule. */
const LATEST_MS = 900;
const ROUNDS = 8;
/** Databases that every other installation keeps ready: there a kill comes while one is taken or prepared. */
const WARM = 2;
const TAKEOVER_MS = 3000;

export const killAnywhere: Experiment = {
  name: 'kill-anywhere',
  fault: 'gateway killed at random moments of provisioning',
  trials: 100,
  async run(ground, tally) {
    const pairs = new Map<number, Pair>();
    await tally.lanes(2, tally.wanted, async (trial, lane) => {
      const pair = pairs.get(lane) ?? new Pair(ground, ROUNDS, { warm: lane % 2 ? 0 : WARM });
      pairs.set(lane, pair);
      await kill(pair, Math.round(LATEST_MS * tally.chance('moment', trial)), tally);
    });
    for (const pair of pairs.values()) await pair.close();
  },
};

async function kill(pair: Pair, moment: number, tally: Tally): Promise<void> {
  const { installation, admin } = await pair.ready();
  const victim = await installation.start();
  const losses = await installation.stocked(tally.giveUpMs);
  const known = installation.acknowledged.length;
  const atVictim = new Actor(victim.url, admin.token);
  const posts = Array.from({ length: TENANTS }, () => [
    // Whether the answer comes before the end is a matter of the moment.
    installation.post(atVictim).catch(() => undefined),
    installation.post(admin).then(({ status, body }) => {
      if (status !== 201) losses.push(`the one that stayed answered ${status} ${JSON.stringify(body)}`);
    }),
  ]).flat();
  await sleep(moment);
  await installation.end(victim, 'SIGKILL');
  const killed = performance.now();
  await Promise.all(posts);
  for (const { id, slug } of installation.acknowledged.slice(known)) {
    try {
      await active(admin, id, tally.giveUpMs);
    } catch (error) {
      losses.push(`tenant ${slug}: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  losses.push(...tally.time('all active after the kill', performance.now() - killed, TAKEOVER_MS));
  losses.push(...(await installation.settled(tally.giveUpMs)), ...(await installation.check()));
  tally.add(
    1,
    losses.map((text) => `after a kill at ${moment} ms: ${text}`),
  );
}
