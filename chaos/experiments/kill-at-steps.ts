/** A gateway is killed exactly before or after a provisioning step, and another one that runs beside it goes on. */
import { Actor, active, eventually } from '../../tests/support/actors.ts';
import { dist } from '../../tests/support/built.ts';
import { stepsOf } from '../built-parts.ts';
import type { Experiment, Tally } from '../experiment.ts';
import type { Installation } from '../installation.ts';
import { Pair, type Ready } from '../pair.ts';

/** Tenants that are under way at a kill, each at a point of its own: as many as one gateway works on at a time. */
const AT_ONCE = 4;
/** Kills in one installation; the checker looks at all of its tenants after each. */
const ROUNDS = 5;
/** From the kill until a tenant is active that the killed gateway was making. */
const TAKEOVER_MS = 3000;
/** What a gateway logs of a run that it takes over because the worker's session has ended; a heartbeat tells of it seconds later. */
const SEEN = 'whose worker is gone';
/** A job whose tenant is active already is missed by its heartbeat alone: nobody waits for it. */
const DONE_MS = 20_000;
const LAST = 'after activate';

export const killAtSteps: Experiment = {
  name: 'kill-steps',
  fault: 'gateway killed before and after each provisioning step',
  trials: 14 * 20,
  async run(ground, tally) {
    const points = await pointsOf(ground.build);
    const all = Array.from({ length: tally.wanted }, (_, index) => points[index % points.length]!);
    const order = tally.shuffled(all, 'points');
    const rounds = Array.from({ length: Math.ceil(order.length / AT_ONCE) }, (_, index) =>
      order.slice(AT_ONCE * index, AT_ONCE * (index + 1)),
    );
    const pairs = new Map<number, Pair>();
    let seen = 0;
    await tally.lanes(2, rounds.length, async (round, lane) => {
      const pair = pairs.get(lane) ?? new Pair(ground, ROUNDS, { hasObjects: true });
      pairs.set(lane, pair);
      seen += await kill(pair, rounds[round]!, tally);
    });
    for (const pair of pairs.values()) await pair.close();
    // However slow the machine is: not every one of them was waited for until its heartbeat was missed.
    if (seen === 0 && !tally.stopped && order.some((point) => point !== LAST))
      tally.add(0, ['nobody saw that a worker was gone']);
  },
};

export async function pointsOf(build = dist): Promise<string[]> {
  const { PROVISIONING_STEPS } = await stepsOf(build);
  return PROVISIONING_STEPS.flatMap(({ name }) => [`before ${name}`, `after ${name}`]);
}

/** Starts a gateway that gets a tenant for each of the points, and waits until it is held at all of them. */
export async function holdAll({ installation, survivor, admin }: Ready, points: string[], { giveUpMs }: Tally) {
  const victim = await installation.start(points);
  // So that the one that is to come to harm gets all of them.
  process.kill(survivor.pid, 'SIGSTOP');
  const ids = await postMany(installation, new Actor(victim.url, admin.token), points.length);
  await eventually(
    async () => victim.output().match(/^held .+$/gm) ?? [],
    (held) => held.length === points.length,
    giveUpMs,
  );
  process.kill(survivor.pid, 'SIGCONT');
  return { victim, ids };
}

/** @returns how many runs were taken over because their worker was seen to be gone. */
async function kill(pair: Pair, points: string[], tally: Tally): Promise<number> {
  const ready = await pair.ready();
  const { installation, admin, survivor } = ready;
  const { victim, ids } = await holdAll(ready, points, tally);
  await installation.end(victim, 'SIGKILL');
  const killed = performance.now();
  const losses = await Promise.all(
    ids.map(async (id) => {
      try {
        await active(admin, id, tally.giveUpMs);
        return tally.time('active after the kill', performance.now() - killed, TAKEOVER_MS);
      } catch (error) {
        return [`never active: ${(error as Error).message.slice(0, 300)}`];
      }
    }),
  );
  losses.push(await installation.jobsOver(DONE_MS + tally.giveUpMs));
  losses.push(tally.time('its job done', performance.now() - killed, DONE_MS));
  const all = [...losses.flat(), ...(await installation.check())];
  tally.add(
    points.length,
    all.map((text) => `killed ${points.join(', ')}: ${text}`),
  );
  const takeovers = survivor
    .output()
    .split('\n')
    .filter((line) => line.includes(SEEN));
  return ids.filter((id) => takeovers.some((line) => line.includes(id))).length;
}

/** @returns the ids of so many tenants that were said yes to. */
export async function postMany(installation: Installation, by: Actor, count: number): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => installation.post(by)));
  return answers.map(({ status, body }) => {
    if (status !== 201) throw new Error(`a tenant was refused: ${JSON.stringify(body)}`);
    return body.id;
  });
}
