/** Three gateways under load are asked to stop and replaced, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayProcess } from '../../tests/support/gateway-process.ts';
import { Balancer } from '../balancer.ts';
import type { Experiment } from '../experiment.ts';
import { Load, makeCrew, PER_SECOND } from '../load.ts';

const GATEWAYS = 3;
/** An exit within this time was promised. */
const EXIT_MS = 10_000;
const BETWEEN_MS = 300;
const FULL = 10;

export const drain: Experiment = {
  name: 'drain',
  fault: `SIGTERM to ${GATEWAYS} gateways in turn under ${PER_SECOND} requests a second`,
  trials: FULL,
  async run(ground, tally) {
    const installation = await ground.install();
    // A short one ends one of them.
    const turns = tally.wanted >= FULL ? GATEWAYS : 1;
    const gateways: GatewayProcess[] = [await installation.start()];
    gateways.push(...(await Promise.all(Array.from({ length: GATEWAYS - 1 }, () => installation.start()))));
    const admin = await installation.admin(gateways[0]!);
    const balancer = new Balancer(gateways);
    try {
      const crew = await makeCrew(installation, () => balancer.urls, admin);
      await tally.lanes(1, tally.wanted, async (number) => {
        const losses: string[] = [];
        const load = await Load.during(crew, async () => {
          for (let place = 0; place < turns; place++) {
            await sleep(BETWEEN_MS * (1 + tally.chance('between', number, place)));
            const began = performance.now();
            const { code, signal } = await installation.end(gateways[place]!, 'SIGTERM');
            losses.push(...tally.time('exit after SIGTERM', performance.now() - began, EXIT_MS));
            if (code !== 0) losses.push(`a gateway ended with ${code ?? signal}`);
            gateways[place] = await installation.start();
          }
        });
        // Not even a 503: there are always two that can do it.
        losses.push(
          ...load.refused.map(({ what, status, failure, ms }) => `${what}, ${Math.round(ms)} ms: ${failure ?? status}`),
        );
        losses.push(
          ...(await installation.settled(tally.giveUpMs)),
          ...(await load.lost()),
          ...(await installation.check()),
        );
        tally.add(
          1,
          losses.map((text) => `trial ${number}: ${text}`),
        );
      });
    } finally {
      await balancer.stop();
    }
    await ground.remove(installation);
  },
};
