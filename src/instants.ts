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

/** When a UUIDv7 was made (RFC 9562 section 5.7). */
export const timeOf = (id: string): Date => new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));

/** Below every UUIDv7 of this millisecond and later, above all earlier ones. */
export function firstIdAt(ms: number): string {
  const hex = Math.min(Math.max(ms, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
