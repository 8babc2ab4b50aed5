/** Feeds from the event log: what is committed, to each subscriber of every process. */
import type { Pool } from 'pg';
import { query } from '../db/control.ts';
import { invalid } from '../errors.ts';
import type { EventBus } from './event-bus.ts';
import type { LoggedEvent, Topic } from './event-log.ts';
import { EventKind, Feed, type Told } from './feed.ts';

/** What holds now, with the place in the log up to which it includes everything. */
export interface Snapshot<S> extends Told {
  kind: EventKind.SNAPSHOT | EventKind.RESET;
  now: S;
}

/** What a subscriber of a topic is told. */
export type Followed<T extends Topic, S> = LoggedEvent<T> | Snapshot<S>;

export interface Following<T extends Topic, S> {
  topic: T;
  /** Only what is about this tenant. */
  tenantId?: string;
  /** The last event that the subscriber knows. */
  after?: number | null;
  /** What holds now, and the newest event that it includes: read in one statement, or that first. */
  snapshot(): Promise<{ seq: number; now: S }>;
  overflow(): void;
}

const BATCH = 500;

/** Numbers are drawn before they are committed, and some are never used: neither end is told too narrow. */
const reach = query<{ newest: string; removed: string }>(
  'event_log_reach',
  `select newest, coalesce((select min(seq) from events) - 1, newest) as removed
     from (select case when is_called then last_value else 0 end as newest from events_seq_seq) _`,
);
const eventsAfter = query<LoggedEvent>(
  'events_of_topic',
  `select seq::float8 as seq, topic, payload from events
    where topic = $1 and seq > $2 and ($3::text is null or payload->>'tenantId' = $3) order by seq limit ${BATCH}`,
);

/** The newest committed event; what is read in the same statement includes it. */
export const NEWEST_EVENT = '(select coalesce(max(seq), 0)::float8 from events)';

/**
 * Follows a topic. Whoever comes back with `after` is told what came after it; where the log does not reach back so far,
 * what holds now.
 *
 * @throws {AppError} validation_failed for an `after` that no event has had yet; what `snapshot` throws.
 */
export async function follow<T extends Topic, S>(
  { bus, control: { pool } }: { bus: EventBus; control: { pool: Pool } },
  following: Following<T, S>,
): Promise<Feed<Followed<T, S>>> {
  const { topic, tenantId, after, snapshot, overflow } = following;
  const read = async <Row>({ name, text }: { name: string; text: string; row?: Row }, values: unknown[]) =>
    (await pool.query({ name, text, values })).rows as Row[];

  let gone = false;
  if (after != null) {
    const [log] = await read(reach, []);
    if (after > Number(log!.newest)) throw invalid('after', 'is of an event that has not happened');
    gone = after < Number(log!.removed);
  }
  const resume = after != null && !gone;
  // Listening comes first: read before it, what holds now might lack what is told only to those who listen.
  const feed = new Feed<Followed<T, S>>({
    listen: (tell) =>
      bus.on(topic, (event) => {
        if (!tenantId || (event.payload as { tenantId?: string }).tenantId === tenantId) tell(event);
      }),
    async *past() {
      if (!resume) {
        yield { kind: gone ? EventKind.RESET : EventKind.SNAPSHOT, ...(await snapshot()) };
        return;
      }
      for (let last = after, page: LoggedEvent[]; ; last = page.at(-1)!.seq) {
        page = await read(eventsAfter, [topic, last, tenantId ?? null]);
        yield* page as LoggedEvent<T>[];
        if (page.length < BATCH) return;
      }
    },
    overflow,
  });
  return feed;
}

export const isSnapshot = <T extends Topic, S>(event: Followed<T, S>): event is Snapshot<S> => 'now' in event;
