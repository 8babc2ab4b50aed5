/** Upgrades as they go on: counts come with each event, lists of tenants are asked for when they may have changed. */
import { useEffect, useRef } from 'react';
import { useEvents } from '../../api/use-events.ts';
import { useFresh } from '../../api/use-fresh.ts';
import {
  UpgradeChangesDocument,
  type UpgradeRunStateFragment,
  UpgradesDocument,
  UpgradeTenantsDocument,
} from '../../documents.gen.ts';

const NOTHING = {};
const NOBODY = '00000000-0000-0000-0000-000000000000';
/** Hundreds of events a second are one question. */
const GATHER_MS = 400;

export const isUnfinished = ({ state }: Pick<UpgradeRunStateFragment, 'state'>) =>
  state === 'RUNNING' || state === 'PAUSED' || state === 'STOPPED';

export function useUpgrades() {
  const upgrades = useFresh({ query: UpgradesDocument });
  const runs = upgrades.data?.upgradeRuns.nodes;
  const newest = runs?.[0];
  const tenants = useFresh({
    query: UpgradeTenantsDocument,
    variables: { id: newest?.id ?? NOBODY },
    pause: !newest,
  });
  const soon = useSoon();

  useEvents(UpgradeChangesDocument, NOTHING, ({ upgradeChanged: { run } }) => {
    if (!run) return;
    soon(() => {
      // One that was started meanwhile, or has ended: the plan is another as well.
      if (run.id !== newest?.id || !isUnfinished(run)) upgrades.refetch();
      if (newest) tenants.refetch();
    });
  });

  return {
    ...upgrades,
    runs,
    newest,
    plan: upgrades.data?.upgradePlan,
    setAside: tenants.data?.upgradeRun.setAside,
    underWay: tenants.data?.upgradeRun.underWay,
    refetch() {
      upgrades.refetch();
      if (newest) tenants.refetch();
    },
  };
}

/** Does the latest of what it is given, a little later: many in a row are one. */
function useSoon() {
  const latest = useRef<() => void>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (work: () => void) => {
    latest.current = work;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current?.();
    }, GATHER_MS);
  };
}
