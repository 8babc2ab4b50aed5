/** This week as it is lived: stretches made of openings and closings, for those who may not read the entries. */
import { addDays, clockIn, daysBetween, weekdayOf } from './dates.ts';
import { DAY, newKey, type Stretch } from './draft.ts';

interface Change {
  at: string;
  isWorkingHours: boolean;
}

/** @param monday the date on which the week begins. @param isOpenNow for a business that never opens or closes. */
export function seenWeek(changes: readonly Change[], monday: string, zone: string, isOpenNow: boolean): Stretch[] {
  const place = ({ at }: Change) => {
    const { date, second } = clockIn(zone, Date.parse(at));
    return daysBetween(monday, date) * DAY + second;
  };
  const stretches: Stretch[] = [];
  let from: number | undefined = (changes[0] ? !changes[0].isWorkingHours : isOpenNow) ? 0 : undefined;
  const open = (start: number, end: number) => {
    for (let at = start; at < Math.min(end, 7 * DAY); ) {
      const index = Math.floor(at / DAY);
      // A night stays one stretch; what is open for days is told by the day.
      const until = end - at < DAY ? end : Math.min(end, (index + 1) * DAY);
      const day = weekdayOf(addDays(monday, index));
      stretches.push({ key: newKey(), day, start: at - index * DAY, end: until - index * DAY, isActive: true });
      at = until;
    }
  };
  for (const change of changes) {
    const at = place(change);
    if (change.isWorkingHours) from = at;
    else if (from !== undefined) {
      open(from, at);
      from = undefined;
    }
  }
  if (from !== undefined && from < 7 * DAY) open(from, 7 * DAY);
  return stretches;
}
