/** The platform's audit log as it grows: told entry by entry in the order of its chain, which has no gaps. */
import type { Context } from '../context.ts';
import { type ControlDatabase, query, type Sql } from '../db/control.ts';
import { invalid } from '../errors.ts';
import type { EventBus } from '../live/event-bus.ts';
import { EventKind, Feed, type Told } from '../live/feed.ts';
import { type AuditLogRow, auditEntriesBetween } from './audit-log.ts';

/** An entry, or what holds now: the newest ones. */
export interface AuditTold extends Told {
  kind: EventKind;
  entry?: AuditLogRow;
  recent?: AuditLogRow[];
}

const BATCH = 200;
/** Whoever missed more is told the newest ones instead. */
const MOST_MISSED = 10_000;
const RECENT = 20;

const head = query<{ seq: number }>('audit_head', 'select coalesce(max(seq), 0)::float8 as seq from audit_chain');

export class AuditTail {
  readonly #control: ControlDatabase;
  readonly #listeners = new Set<(event: AuditTold) => void>();
  /** The last entry that was told, or that the first who listens knows of. */
  #last = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(control: ControlDatabase, bus: EventBus) {
    this.#control = control;
    bus.on('audit', ({ payload }) => this.#queue(() => this.#tellUpTo(payload.upTo)));
  }

  /**
   * Begins to tell a listener of entries as they come.
   *
   * @param head the newest link as it was before the call: from there on is told, unless others have been told more already.
   * @returns what ends it.
   */
  listen(listener: (event: AuditTold) => void, head: number): () => void {
    if (this.#listeners.size === 0) this.#last = head;
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The newest link. */
  async head(): Promise<number> {
    return (await this.#read(head, []))[0]!.seq;
  }

  /** Everything after one link up to another, a few at a time. */
  async *between(after: number, upTo: number): AsyncGenerator<AuditTold, void, undefined> {
    for (let last = after; last < upTo; last += BATCH) {
      const entries = await auditEntriesBetween({ rows: this.#read }, last, Math.min(BATCH, upTo - last));
      for (const { seq, ...entry } of entries) yield { seq, kind: EventKind.CHANGE, entry };
    }
  }

  readonly #read: Sql['rows'] = async ({ name, text }, values) =>
    (await this.#control.pool.query({ name, text, values })).rows;

  /** What fails is made up for by the next one. */
  #queue(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch(() => {});
  }

  async #tellUpTo(upTo: number): Promise<void> {
    if (this.#listeners.size === 0) return;
    for await (const event of this.between(this.#last, upTo)) {
      for (const tell of this.#listeners) tell(event);
      this.#last = event.seq;
    }
    this.#last = Math.max(this.#last, upTo);
  }
}

/** @throws {AppError} validation_failed for an `after` that no entry has had yet. */
export async function followAudit(ctx: Context, after?: number | null): Promise<Feed<AuditTold>> {
  const { auditTail } = ctx.services;
  const newest = await auditTail.head();
  if (after != null && after > newest) throw invalid('after', 'is of an entry that has not been made');
  const told = after != null && newest - after <= MOST_MISSED;

  async function* past(): AsyncGenerator<AuditTold, void, undefined> {
    const upTo = await auditTail.head();
    if (told) return yield* auditTail.between(after!, upTo);
    const recent: AuditLogRow[] = [];
    for await (const { entry } of auditTail.between(Math.max(0, upTo - RECENT), upTo)) recent.unshift(entry!);
    yield { seq: upTo, kind: after == null ? EventKind.SNAPSHOT : EventKind.RESET, recent };
  }
  return new Feed<AuditTold>({ listen: (tell) => auditTail.listen(tell, newest), past, overflow: ctx.tooSlow });
}
