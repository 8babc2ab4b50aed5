/** When sessions and API keys were last used: gathered in memory and written together, once a minute for each. */
import { nowMs } from '../clock.ts';
import type { ControlDatabase } from '../db/control.ts';
import type { Caller } from './tokens.ts';

/** How often each is written at most. */
const PACE_MS = 60_000;
export const FLUSH_MS = 5000;

const STATEMENTS = {
  sessions: `update sessions set last_used_at = greatest(last_used_at, u.at)
               from unnest($1::uuid[], $2::timestamptz[]) as u (id, at) where sessions.id = u.id`,
  api_keys: `update api_keys set last_used_at = greatest(last_used_at, u.at)
               from unnest($1::uuid[], $2::timestamptz[]) as u (id, at) where api_keys.id = u.id`,
};

class Uses {
  /** Those of the last minute, the oldest first. */
  readonly #written = new Map<string, number>();
  #pending = new Map<string, number>();

  note(id: string): void {
    const now = nowMs();
    if (now - (this.#written.get(id) ?? 0) < PACE_MS) return;
    this.#pending.set(id, now);
    this.#written.delete(id);
    this.#written.set(id, now);
  }

  take(): [string, number][] {
    const taken = [...this.#pending].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#pending = new Map();
    const since = nowMs() - PACE_MS;
    for (const [id, at] of this.#written) {
      if (at > since) break;
      this.#written.delete(id);
    }
    return taken;
  }
}

export class LastUse {
  readonly #control: ControlDatabase;
  readonly #uses = { sessions: new Uses(), api_keys: new Uses() };

  constructor(control: ControlDatabase) {
    this.#control = control;
  }

  note(caller: Caller): void {
    if (caller.kind === 'agent' && caller.apiKey) this.#uses.api_keys.note(caller.apiKey.id);
    else if (caller.sessionId) this.#uses.sessions.note(caller.sessionId);
  }

  /** Writes what was noted since the last time; rows in one order, so that two processes do not wait for each other. */
  async flush(): Promise<void> {
    for (const [table, uses] of Object.entries(this.#uses)) {
      const taken = uses.take();
      if (taken.length === 0) continue;
      const values = [taken.map(([id]) => id), taken.map(([, at]) => new Date(at))];
      await this.#control.pool.query(STATEMENTS[table as keyof typeof STATEMENTS], values);
    }
  }
}
