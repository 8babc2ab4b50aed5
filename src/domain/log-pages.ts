/** Pages of a log of who did what, newest first: of a tenant's own log, and of the control plane's. */
import { type Query, query } from '../db/control.ts';
import { invalid } from '../errors.ts';
import { firstIdAt } from '../instants.ts';

/** All that is given has to hold. */
export interface LogFilter {
  /** Only of the control plane's log. */
  tenantId?: string | null;
  actorId?: string | null;
  /** One action, or all of a noun: `division.*`. */
  action?: string | null;
  targetType?: string | null;
  targetId?: string | null;
  from?: Date | null;
  /** Not included. */
  to?: Date | null;
  /** Literal text in the actor's e-mail address, the action or the target's id, without case. */
  search?: string | null;
}

/** What is read of a log, whose entries the statement calls `l`. */
export interface LogSource {
  /** Of the statement. */
  name: string;
  select: string;
}

/** An entry's id is made with its time; an older gateway took the time a moment later. */
const SLACK_MS = 1000;
const ALL_OF_NOUN = /^(.+)\.\*$/;

/**
 * A statement for each set of filters: one that serves all of them could use the index of none.
 *
 * @param after the id that the page comes after.
 * @throws {AppError} validation_failed for a time that is over before it begins.
 */
export function logPage<Row>(
  source: LogSource,
  filter: LogFilter,
  after: string | null | undefined,
  limit: number,
): { statement: Query<Row>; values: unknown[] } {
  const { tenantId, actorId, action, targetType, targetId, from, to, search } = filter;
  if (from && to && to <= from) throw invalid('to', 'must be later than "from"');
  const values: unknown[] = [];
  const conditions: string[] = [];
  let { name } = source;
  const add = (code: string, condition: (value: string) => string, value: unknown) => {
    if (value == null || value === '') return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
    name += code;
  };
  const noun = action && ALL_OF_NOUN.exec(action)?.[1];
  add('+org', (id) => `l.org_id = ${id}`, tenantId);
  add('+actor', (id) => `l.actor_id = ${id}`, actorId);
  if (noun) add('+noun', (text) => `split_part(l.action, '.', 1) = ${text}`, noun);
  else add('+action', (text) => `l.action = ${text}`, action);
  add('+type', (text) => `l.target_type = ${text}`, targetType);
  add('+target', (text) => `l.target_id = ${text}`, targetId);
  add('+from', (instant) => `l.created_at >= ${instant}`, from);
  add('', (id) => `l.id >= ${id}`, from && firstIdAt(from.getTime() - SLACK_MS));
  add('+to', (instant) => `l.created_at < ${instant}`, to);
  add('', (id) => `l.id < ${id}`, to && firstIdAt(to.getTime() + SLACK_MS));
  add('+search', holds, search);
  add('+after', (id) => `l.id < ${id}`, after?.toLowerCase());
  values.push(limit);
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const text = `${source.select} ${where} order by l.id desc limit $${values.length}`;
  return { statement: query<Row>(name, text), values };
}

const holds = (text: string) =>
  `(${['l.actor_email', 'l.action', 'l.target_id'].map((column) => `position(lower(${text}) in lower(${column})) > 0`).join(' or ')})`;
