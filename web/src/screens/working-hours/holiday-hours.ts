/** Whether the hours of an exception lie on top of each other, also over midnight where it lasts for days. */
import { DAY } from './draft.ts';

export function holidayOverlaps(hours: readonly { start: number; end: number }[], days: number): boolean {
  const shifts = days > 1 ? [-DAY, 0, DAY] : [0];
  return hours.some((one, index) =>
    hours
      .slice(index + 1)
      .some((other) => shifts.some((by) => one.start < other.end + by && other.start + by < one.end)),
  );
}
