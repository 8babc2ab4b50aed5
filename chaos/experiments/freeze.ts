/** A gateway is frozen in the middle of provisioning, another one takes over, and then the frozen one goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { active, eventually } from '../../tests/support/actors.ts';
import { difference, everything } from '../everything.ts';
import type { Experiment, Tally } from '../experiment.ts';
import { Pair } from '../pair.ts';
import { holdAll, pointsOf } from './kill-at-steps.ts';

const AT_ONCE = 4;
/** Of a full run; in a short one it goes on as soon as it was taken over from. */
const FROZEN_MS = 15_000;
const FULL = 20;
/** A frozen worker's connections live, so that it is missed by its heartbeat: some twelve seconds. */
const TAKEOVER_MS = 20_000;
/** What it does besides, once its workers have done with the tenants. */
const AFTERMATH_MS = 500;

export const freeze: Experiment = {
  name: 'freeze',
  fault: 'gateway frozen 15 s while another took over, then continued',
  trials: FULL,
  async run(ground, tally) {
    const points = await pointsOf(ground.build);
    const order = tally.shuffled(
      Array.from({ length: tally.wanted }, (_, index) =>
        // Fewer trials than points are spread over all of them.
        tally.wanted < points.length
          ? points[Math.floor((index * points.length) / tally.wanted)]!
          : points[index % points.length]!,
      ),
      'frozen at',
    );
    const rounds = Math.ceil(order.length / AT_ONCE);
    const pairs: Pair[] = [];
    // They wait most of the time.
    await tally.lanes(3, rounds, async (round) => {
      const pair = new Pair(ground, 1, { hasObjects: true });
      pairs.push(pair);
      await frozen(pair, order.slice(AT_ONCE * round, AT_ONCE * (round + 1)), tally);
      await pair.close();
    });
  },
};

async function frozen(pair: Pair, points: string[], tally: Tally): Promise<void> {
  const ready = await pair.ready();
  const { installation, admin } = ready;
  const { victim, ids } = await holdAll(ready, points, tally);
  process.kill(victim.pid, 'SIGSTOP');
  const began = performance.now();
  const losses: string[] = [];
  for (const id of ids) {
    try {
      await active(admin, id, TAKEOVER_MS + tally.giveUpMs);
    } catch (error) {
      losses.push(`nobody took over: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  losses.push(...(await installation.jobsOver(TAKEOVER_MS + tally.giveUpMs)));
  losses.push(...tally.time('taken over after the freeze', performance.now() - began, TAKEOVER_MS));
  if (tally.wanted >= FULL) await sleep(Math.max(0, FROZEN_MS - (performance.now() - began)));
  const before = await everything(installation.databaseUrl);
  // It is told first, and hears of it when it goes on.
  process.kill(victim.pid, 'SIGUSR2');
  process.kill(victim.pid, 'SIGCONT');
  await eventually(
    async () => victim.output().match(/^over for .+$/gm) ?? [],
    (over) => over.length === points.length,
    tally.giveUpMs,
  );
  await sleep(AFTERMATH_MS);
  const changed = difference(before, await everything(installation.databaseUrl));
  losses.push(...changed.map((line) => `the frozen one changed something: ${line.slice(0, 500)}`));
  losses.push(...(await installation.check()));
  const { code } = await installation.end(victim, 'SIGTERM');
  if (code !== 0) losses.push(`the frozen one ended with ${code}`);
  tally.add(
    points.length,
    losses.map((text) => `frozen ${points.join(', ')}: ${text}`),
  );
}
