/** Two gateways of one installation, both in good health. */
import { Actor } from '../tests/support/actors.ts';
import type { Ground } from './ground.ts';
import type { Installation } from './installation.ts';

export interface Two {
  installation: Installation;
  /** Where each of them is. */
  urls: readonly [string, string];
  /** The super admin, at each of them. */
  here: Actor;
  there: Actor;
}

export async function withTwoGateways(ground: Ground, body: (two: Two) => Promise<void>): Promise<void> {
  const installation = await ground.install();
  const first = await installation.start();
  const second = await installation.start();
  const here = await installation.admin(first);
  await body({ installation, urls: [first.url, second.url], here, there: new Actor(second.url, here.token) });
  await ground.remove(installation);
}
