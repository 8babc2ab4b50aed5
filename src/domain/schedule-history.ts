/** Schedules of the past, read from a tenant's history as far as a question goes: of one scope, a few at a time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Query, query } from '../db/control.ts';
import type { Scope } from './schedule-edits.ts';
import { TenantHours, type VersionRow } from './tenant-hours.ts';
import type { Reign } from './working-hours/business-time.ts';
import { DAY } from './working-hours/schedule.ts';

/** Versions. One has a megabyte at worst, and there may be many who ask. */
const PAGE = 3;
/** Of time, in milliseconds: so much is counted before others get their turn. */
const LONGEST_PIECE = 92 * DAY * 1000;

export const COLUMNS = `seq, division_id as "divisionId", (extract(epoch from valid_from) * 1000)::float8 as "validFrom", schedule`;
/** A division's hours are its own and, where it has none, those of the organization. */
const SCOPE = '(division_id is null or division_id = $1)';

/** Before anything was kept, what was kept first. */
const versionsAt = query<VersionRow & { until: number | null }>(
  'schedules_at',
  `select distinct on (division_id) ${COLUMNS},
          (select extract(epoch from min(valid_from)) * 1000 from schedule_versions
            where ${SCOPE} and valid_from > $2)::float8 as until
     from schedule_versions
    where ${SCOPE} and (valid_from <= $2
          or seq in (select min(seq) from schedule_versions where ${SCOPE} group by division_id))
    order by division_id, seq desc`,
);
const versionsBetween = query<VersionRow>(
  'schedules_between',
  `select ${COLUMNS} from schedule_versions
    where ${SCOPE} and valid_from > $2 and valid_from <= $3 and seq > $4 order by seq limit $5`,
);

/** Reads rows of one tenant. */
export type Read = <Row>(statement: Query<Row>, values: unknown[]) => Promise<Row[]>;

/** The hours of one scope, and when they held: `[from, until)`. */
export interface PastHours {
  scope: Scope;
  from: number;
  until: number;
  hours: TenantHours;
}

/** The schedules that held one after the other from one instant to another. */
export interface HistoryPiece {
  from: number;
  to: number;
  reigns: Reign[];
}

export async function hoursAt(read: Read, scope: Scope, instant: number): Promise<PastHours> {
  const rows = await read(versionsAt, [scope, new Date(instant)]);
  const begun = rows.map(({ validFrom }) => validFrom).filter((validFrom) => validFrom <= instant);
  const until = rows[0]?.until ?? Number.POSITIVE_INFINITY;
  return { scope, from: Math.max(...begun), until, hours: new TenantHours(rows) };
}

/** @throws {AppError} not_found on reaching a time at which there was no such division. */
export async function* historyBetween(
  read: Read,
  scope: Scope,
  from: number,
  to: number,
): AsyncGenerator<HistoryPiece> {
  const versions = new Map<Scope, VersionRow>(
    (await read(versionsAt, [scope, new Date(from)])).map((row) => [row.divisionId, row]),
  );
  const reign = (since: number): Reign => ({
    from: since,
    clock: new TenantHours([...versions.values()]).scope(scope).clock,
  });
  let last = reign(from);
  let page: VersionRow[];
  let seq = '0';
  do {
    page = await read(versionsBetween, [scope, new Date(from), new Date(to), seq, PAGE]);
    for (const row of page) {
      yield* piecesOf({ from: last.from, to: row.validFrom, reigns: [last] });
      versions.set(row.divisionId, row);
      last = reign(row.validFrom);
      seq = row.seq;
    }
  } while (page.length === PAGE);
  yield* piecesOf({ from: last.from, to, reigns: [last] });
}

/** The same, in pieces short enough to be counted in one go. */
export async function* piecesOf({ from, to, reigns }: HistoryPiece): AsyncGenerator<HistoryPiece> {
  for (let start = from; start < to; start += LONGEST_PIECE) {
    yield { from: start, to: Math.min(to, start + LONGEST_PIECE), reigns };
    await nextTurn();
  }
}
