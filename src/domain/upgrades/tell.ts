/** What is told of upgrades, in the transaction of each change. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Context } from '../../context.ts';
import type { UpgradeRun } from '../../entities/control/upgrade-run.ts';
import { publish } from '../../live/event-log.ts';
import type { Feed } from '../../live/feed.ts';
import { type Followed, follow } from '../../live/follow.ts';
import { newestUpgrade, type TenantUpgradeRow, type UpgradeRunRow } from './read.ts';

/** Goes last in the transaction of the change. @param tenant the one that the change is about. */
export async function tellOfUpgrade(em: EntityManager, run: UpgradeRun, tenant?: TenantUpgradeRow): Promise<void> {
  // First, so that the event carries what the database will hold.
  await em.flush();
  await publish(em, 'upgrade', { run: { ...run } as UpgradeRunRow, tenant });
}

export type UpgradeFeed = Feed<Followed<'upgrade', UpgradeRunRow | undefined>>;

/** The newest upgrade, then every change of it and of those to come. @throws {AppError} validation_failed */
export const followUpgrades = (ctx: Context, after?: number | null): Promise<UpgradeFeed> =>
  follow<'upgrade', UpgradeRunRow | undefined>(ctx.services, {
    topic: 'upgrade',
    after,
    overflow: ctx.tooSlow,
    async snapshot() {
      const { seq, now } = await newestUpgrade(ctx);
      return { seq, now };
    },
  });
