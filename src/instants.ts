/** Instants as text: RFC 3339. */

/** What is asked for, to complete "must be ...". */
export const INSTANT = 'an RFC 3339 date and time, such as 2026-11-21T08:00:00Z';

const FORM = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** @returns undefined for anything else, a day that the calendar does not have and a leap second included. */
export function instantFrom(text: string): Date | undefined {
  const date = FORM.exec(text)?.[1];
  return date && isDate(date) ? new Date(text.toUpperCase()) : undefined;
}

/** Whether it is a day of the calendar, `YYYY-MM-DD`. JavaScript takes 30 February for 2 March. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const instant = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}
