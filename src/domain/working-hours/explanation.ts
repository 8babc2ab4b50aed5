/** Why a business is open or closed at an instant. */
import type { WorkingHoursClock } from './clock.ts';
import { dateOf, type ScheduleException, type Span } from './schedule.ts';
import { spanText, timeText, weekdayText } from './words.ts';

/** What decided. */
export interface Rule {
  /** `none`: the week has no hours at that time. */
  kind: 'weekly' | 'exception' | 'none';
  /** Of the exception. */
  name?: string;
  /** `YYYY-MM-DD`: the local day that the rule belongs to, the evening before where its hours run past midnight. */
  date: string;
  /** The hours that are open; absent while it is closed. */
  hours?: Span;
}

export interface Explanation {
  isOpen: boolean;
  rule: Rule;
  /** Such as `Tuesday 13:00–17:30, division Sales, Asia/Jakarta`. */
  text: string;
}

/** @param division its name, where one was asked for. */
export function explain(clock: WorkingHoursClock, instant: number, division?: string): Explanation {
  const { day, second } = clock.localTime(instant);
  const stretch = clock.at(instant);
  const scope = `${division === undefined ? '' : `, division ${division}`}, ${clock.schedule.timezone}`;
  if (stretch) {
    const { hours, began, rule } = stretch;
    const isException = 'startDate' in rule;
    const text = isException
      ? `${rule.name}: ${weekdayText(began)} ${dateOf(began)} ${spanText(hours)}`
      : `${weekdayText(began)} ${spanText(hours)}`;
    return {
      isOpen: true,
      rule: {
        kind: isException ? 'exception' : 'weekly',
        ...(isException && { name: rule.name }),
        date: dateOf(began),
        hours,
      },
      text: text + scope,
    };
  }
  const exception = clock.exceptionOn(day);
  const rule: Rule = exception
    ? { kind: 'exception', name: exception.name, date: dateOf(day) }
    : { kind: 'none', date: dateOf(day) };
  return { isOpen: false, rule, text: closedText(clock, day, second, exception) + scope };
}

function closedText(clock: WorkingHoursClock, day: number, second: number, exception?: ScheduleException): string {
  const weekday = weekdayText(day);
  if (exception?.hours.length === 0) return `Closed for ${exception.name}: ${weekday} ${dateOf(day)}`;
  const hours = clock
    .hoursOn(day)
    .map((span) => spanText(span))
    .join(', ');
  if (exception) return `${exception.name}: ${weekday} ${dateOf(day)} ${timeText(second)} is outside ${hours}`;
  return hours ? `${weekday} ${timeText(second)} is outside ${hours}` : `${weekday} has no open hours`;
}
