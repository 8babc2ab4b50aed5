/** Calendar days such as 2026-11-24. */
const DAY_MS = 86_400_000;

const spell = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** The days that are known with those between them, of which nothing is. */
export function everyDay<Row extends { day: string }>(known: Row[]): (Row | { day: string })[] {
  const rows = new Map(known.map((row) => [row.day, row]));
  const [first, last] = [Date.parse(known[0]!.day), Date.parse(known.at(-1)!.day)];
  return Array.from({ length: (last - first) / DAY_MS + 1 }, (_, index) => {
    const day = spell(first + index * DAY_MS);
    return rows.get(day) ?? { day };
  });
}

/** How many days until then, by the calendar on this desk. */
export function daysUntil(day: string, now = new Date()): number {
  return Math.round((Date.parse(day) - Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())) / DAY_MS);
}
