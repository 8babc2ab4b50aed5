/** How the platform stands: told by events as it changes, and asked again every 15 seconds for what no event tells. */
import { useCallback, useState } from 'react';
import { useEvents } from '../../api/use-events.ts';
import { useEvery } from '../../api/use-every.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { HealthChangesDocument, HealthDocument, HealthTimelineDocument } from '../../documents.gen.ts';
import type { Report } from './components.ts';
import { RANGES, type RangeName } from './timeline.ts';

const SAMPLED_EVERY_MS = 15_000;
const NOTHING = {};

export function useHealth(range: RangeName) {
  const health = useFresh({ query: HealthDocument });
  const timeline = useFresh({ query: HealthTimelineDocument, variables: RANGES[range] });
  const [told, tell] = useState<{ report: Report; instead?: Report }>();
  const answered = health.data?.systemHealth;
  const { refetch: askHealth } = health;
  const { refetch: askTimeline } = timeline;
  const refetch = useCallback(() => {
    askHealth();
    askTimeline();
  }, [askHealth, askTimeline]);
  useEvery(SAMPLED_EVERY_MS, refetch);

  useEvents(HealthChangesDocument, NOTHING, ({ systemHealthChanged: { kind, health: report } }) => {
    tell({ report, instead: answered });
    if (kind !== 'SNAPSHOT') refetch();
  });

  return {
    // An event counts until a newer answer is there.
    report: told && told.instead === answered ? told.report : (answered ?? told?.report),
    error: health.error,
    timeline: timeline.data?.healthTimeline,
    refetch,
  };
}
