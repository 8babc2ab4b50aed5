/** Tells when businesses open and close, at the boundary itself, and of every edit: by one timer for all of them. */
import type { Logger } from 'pino';
import { nowMs } from '../clock.ts';
import { toAppError } from '../errors.ts';
import type { EventBus } from '../live/event-bus.ts';
import { TenantChange } from '../live/event-log.ts';
import { EventKind, type Told } from '../live/feed.ts';
import { type HoursStatus, statusOf } from './hours-questions.ts';
import type { Schedules } from './schedules.ts';
import type { TenantHours } from './tenant-hours.ts';

/** How a scope's hours stand from an instant on. */
export interface HoursEvent extends Told {
  kind: EventKind;
  status: HoursStatus;
}

/**
 * Which version of the hours, and how many seconds it has been in force: every process, and the same one later, comes to
 * the same numbers without writing any down. 2^31 seconds are 68 years, and leave room for four million versions.
 */
const SECONDS = 2 ** 31;

/** @param since when the version came into force; both in milliseconds since the epoch. */
export const placeOf = (version: number, since: number, at: number): number =>
  version * SECONDS + Math.max(0, Math.floor(at / 1000) - Math.floor(since / 1000));

/** What `placeOf` was made of. */
export const partsOf = (seq: number) => ({ version: Math.floor(seq / SECONDS), seconds: seq % SECONDS });

/** Milliseconds; a clock that is set meanwhile is noticed within. */
const LONGEST_TIMER = 30_000;
const RETRY_MS = 1000;

interface Listener {
  tell(event: HoursEvent): void;
  end(): void;
}

/** The organization or a division, while somebody listens. */
interface Scope {
  readonly orgId: string;
  readonly divisionId: string | null;
  readonly listeners: Set<Listener>;
  /** The newest version that was told of. */
  version: number;
  /** The next boundary; Infinity where there is none, or it is not known yet. */
  nextAt: number;
  /** What is told is told one after the other. */
  work: Promise<void>;
}

export class HoursWatch {
  readonly #schedules: Schedules;
  readonly #log: Logger;
  readonly #scopes = new Map<string, Scope>();
  readonly #stops: (() => void)[];
  #timer?: NodeJS.Timeout;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(schedules: Schedules, bus: EventBus, log: Logger) {
    this.#schedules = schedules;
    this.#log = log;
    this.#stops = [
      bus.on('schedule', ({ payload }) => {
        for (const scope of this.#scopesOf(payload.tenantId)) this.#queue(scope, (hours) => this.#edited(scope, hours));
      }),
      bus.on('tenant', ({ payload: { tenantId, change } }) => {
        if (change !== TenantChange.SUSPENDED && change !== TenantChange.REMOVED) return;
        for (const scope of this.#scopesOf(tenantId)) this.#end(scope);
      }),
    ];
  }

  /** Begins to tell a listener of the organization, or of a division. @returns what ends that. */
  listen(orgId: string, divisionId: string | null, listener: Listener): () => void {
    const key = `${orgId} ${divisionId ?? ''}`;
    let scope = this.#scopes.get(key);
    if (!scope) {
      const made: Scope = {
        orgId,
        divisionId,
        listeners: new Set(),
        version: 0,
        nextAt: Number.POSITIVE_INFINITY,
        work: Promise.resolve(),
      };
      scope = made;
      this.#scopes.set(key, made);
      // Not from when the hours are known: a boundary in between is in nobody's snapshot.
      const from = nowMs();
      this.#queue(made, (hours) => this.#await(made, hours, from));
    }
    const { listeners } = scope;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      // Whoever ends again may find a newer one in its place.
      if (listeners.size === 0 && this.#scopes.get(key) === scope) this.#scopes.delete(key);
    };
  }

  close(): void {
    for (const stop of this.#stops) stop();
    clearTimeout(this.#timer);
  }

  #scopesOf(orgId: string): Scope[] {
    return [...this.#scopes.values()].filter((scope) => scope.orgId === orgId);
  }

  #queue(scope: Scope, step: (hours: TenantHours) => void): void {
    scope.work = scope.work.then(async () => {
      if (scope.listeners.size === 0) return;
      try {
        step(await this.#schedules.now(scope.orgId));
      } catch (error) {
        if (toAppError(error).code === 'not_found') return this.#end(scope);
        this.#log.warn({ orgId: scope.orgId, err: error }, 'the hours of a tenant cannot be watched; trying again');
        setTimeout(() => this.#queue(scope, step), RETRY_MS).unref();
      }
    });
  }

  #edited(scope: Scope, hours: TenantHours): void {
    const now = nowMs();
    const version = hours.version(scope.divisionId);
    if (version > scope.version) this.#tell(scope, hours, now);
    this.#await(scope, hours, now);
  }

  /** Notes the next boundary after an instant. */
  #await(scope: Scope, hours: TenantHours, after: number): void {
    scope.version = hours.version(scope.divisionId);
    scope.nextAt = hours.scope(scope.divisionId).clock.nextChange(after)?.at ?? Number.POSITIVE_INFINITY;
    if (scope.nextAt < this.#armedFor) this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#armedFor = Math.min(...[...this.#scopes.values()].map(({ nextAt }) => nextAt));
    if (this.#armedFor === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(LONGEST_TIMER, Math.max(0, this.#armedFor - nowMs()));
    this.#timer = setTimeout(() => this.#ring(), wait).unref();
  }

  #ring(): void {
    const now = nowMs();
    for (const scope of this.#scopes.values()) {
      if (scope.nextAt > now) continue;
      const at = scope.nextAt;
      scope.nextAt = Number.POSITIVE_INFINITY;
      this.#queue(scope, (hours) => this.#passed(scope, hours, at));
    }
    this.#arm();
  }

  /** A boundary, and whatever others have passed since where the process slept. */
  #passed(scope: Scope, hours: TenantHours, first: number): void {
    // An edit since then has been told already, and what comes after it awaited.
    if (hours.version(scope.divisionId) !== scope.version) return;
    const now = nowMs();
    for (const { at } of hours.scope(scope.divisionId).clock.changes(first - 1, now + 1)) this.#tell(scope, hours, at);
    this.#await(scope, hours, now);
  }

  #tell(scope: Scope, hours: TenantHours, at: number): void {
    const { divisionId } = scope;
    const event: HoursEvent = {
      seq: placeOf(hours.version(divisionId), hours.since(divisionId), at),
      kind: EventKind.CHANGE,
      status: statusOf(hours.scope(divisionId), at),
    };
    for (const { tell } of scope.listeners) tell(event);
  }

  #end(scope: Scope): void {
    for (const { end } of [...scope.listeners]) end();
  }
}
