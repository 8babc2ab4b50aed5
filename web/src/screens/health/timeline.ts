/** A component's history as a row of equal stretches of time, also those of which nothing is known. */
import type { ComponentStatus, HealthTimelineQuery } from '../../documents.gen.ts';

export const RANGES = {
  hour: { minutes: 60, buckets: 60 },
  sixHours: { minutes: 360, buckets: 72 },
  day: { minutes: 1440, buckets: 72 },
} as const;
export type RangeName = keyof typeof RANGES;

type Buckets = HealthTimelineQuery['healthTimeline'][number]['buckets'];

export interface Stretch {
  from: number;
  to: number;
  /** Absent: nothing is known. */
  status?: ComponentStatus;
  latencyMs?: number;
}

export function stretchesOf(buckets: Buckets, range: RangeName, now: number): Stretch[] {
  const { minutes, buckets: count } = RANGES[range];
  const width = (minutes * 60_000) / count;
  const newest = buckets.at(-1);
  // Wherever the gateway lets its buckets begin, the grid goes through them.
  const phase = newest ? Date.parse(newest.from) % width : 0;
  const last = Math.floor((now - phase) / width) * width + phase;
  const first = last - (count - 1) * width;
  const stretches: Stretch[] = Array.from({ length: count }, (_, index) => ({
    from: first + index * width,
    to: first + (index + 1) * width,
  }));
  for (const { from, status, latencyMs } of buckets) {
    const stretch = stretches[Math.round((Date.parse(from) - first) / width)];
    if (stretch) Object.assign(stretch, { status, latencyMs: latencyMs ?? undefined });
  }
  return stretches;
}

/** The history of what is down now, also where no sample says so yet. @param since in milliseconds since the epoch. */
export const downSince = (stretches: Stretch[], since: number): Stretch[] =>
  stretches.map((stretch, index) =>
    stretch.to > since || index === stretches.length - 1 ? { ...stretch, status: 'DOWN' } : stretch,
  );

/** How often it went down; undefined where nothing is known. */
export function outagesOf(stretches: Stretch[]): number | undefined {
  const known = stretches.filter(({ status }) => status === 'UP' || status === 'DOWN');
  if (known.length === 0) return undefined;
  return known.filter(({ status }, index) => status === 'DOWN' && known[index - 1]?.status !== 'DOWN').length;
}
