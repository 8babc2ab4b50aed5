/** How the platform stands: told by events as it changes, and asked again every 15 seconds for what no event tells. */
import { useEffect, useState } from 'react';
import { useEvents } from '../../api/use-events.ts';
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
  const refetch = () => {
    health.refetch();
    timeline.refetch();
  };

  useEvents(HealthChangesDocument, NOTHING, ({ systemHealthChanged: { kind, health: report } }) => {
    tell({ report, instead: answered });
    if (kind !== 'SNAPSHOT') refetch();
  });

  const { refetch: askHealth } = health;
  const { refetch: askTimeline } = timeline;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return;
      askHealth();
      askTimeline();
    }, SAMPLED_EVERY_MS);
    return () => clearInterval(timer);
  }, [askHealth, askTimeline]);

  return {
    // An event counts until a newer answer is there.
    report: told && told.instead === answered ? told.report : (answered ?? told?.report),
    error: health.error,
    timeline: timeline.data?.healthTimeline,
    refetch,
  };
}
