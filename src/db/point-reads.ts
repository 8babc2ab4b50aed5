/** Rows read by their id, those that are asked for in one turn of the event loop by one statement. */
import type { Query, Sql } from './control.ts';

/** A statement whose `$1` is a list of ids, and each of whose rows has its `id`. */
export type ById<Row extends { id: string }> = Query<Row>;

interface Waiting {
  resolve(row: unknown): void;
  reject(error: unknown): void;
}

/**
 * Nothing is read before it is asked for, so nothing is older than it would be alone. Under load, one tenant by its id
 * costs half of the CPU; a single one waits for the end of the turn, some microseconds.
 *
 * What is read is the same whoever asks: who may ask for it is judged before. Two who ask for the same get the same row, so
 * that nobody may change it.
 */
export class PointReads {
  readonly #sql: Sql;
  #unsent = new Map<ById<{ id: string }>, Map<string, Waiting[]>>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @param id in lower case. @returns undefined where there is none. */
  get<Row extends { id: string }>(statement: ById<Row>, id: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#unsent.size === 0) setImmediate(() => this.#send());
      let ids = this.#unsent.get(statement);
      if (!ids) {
        ids = new Map();
        this.#unsent.set(statement, ids);
      }
      const waiting = { resolve: resolve as Waiting['resolve'], reject };
      const others = ids.get(id);
      if (others) others.push(waiting);
      else ids.set(id, [waiting]);
    });
  }

  #send(): void {
    const unsent = this.#unsent;
    this.#unsent = new Map();
    for (const [statement, ids] of unsent) void this.#read(statement, ids);
  }

  async #read(statement: ById<{ id: string }>, ids: Map<string, Waiting[]>): Promise<void> {
    try {
      const rows = await this.#sql.rows(statement, [[...ids.keys()]]);
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const [id, all] of ids) for (const { resolve } of all) resolve(byId.get(id));
    } catch (error) {
      for (const all of ids.values()) for (const { reject } of all) reject(error);
    }
  }
}
