/** Statements as spans, within whatever asks for them. */
import pg from 'pg';
import { type Attributes, traced, tracing } from './tracing.ts';

type Query = (...args: unknown[]) => unknown;

/** What a pool is connected to: the control database, a tenant's (with the tenant's id where that is known), or a server to make them on. */
export interface Database {
  name: 'control' | 'tenant' | 'server';
  tenantId?: string;
}

/** To be called once for each pool, before it is used. Polling that nobody asked for is no span. */
export function traceStatements(pool: pg.Pool, database: Database): void {
  if (!tracing) return;
  const attributes: Attributes = {
    'db.system.name': 'postgresql',
    'db.namespace': database.name,
    'omnistream.tenant.id': database.tenantId,
  };
  const asSpans = (target: { query: unknown }) => {
    const query = target.query as Query;
    target.query = (...args: unknown[]) => {
      // A pool asks its clients with a callback; cursors and copies take no promise either.
      if (isCalledBack(args) || !tracing?.isUnderWay()) return query.apply(target, args);
      const summary = summaryOf(args[0]);
      return traced(
        summary,
        () => ({ kind: 'client', attributes: { ...attributes, 'db.query.summary': summary } }),
        () => query.apply(target, args) as Promise<unknown>,
      );
    };
  };
  asSpans(pool);
  pool.on('connect', (client) => asSpans(client));
}

function isCalledBack(args: unknown[]): boolean {
  const [config] = args as [{ submit?: unknown; callback?: unknown } | string | undefined];
  if (typeof args.at(-1) === 'function') return true;
  if (config instanceof pg.Query) return false;
  return typeof config === 'object' && (typeof config.submit === 'function' || typeof config.callback === 'function');
}

/** The ORM writes values into its statements, so that no more of one is told than what stands before any of them. */
const TELLING = /^\s*(?:(insert) into|(update)|(delete) from|(select)\b[^']*? from) (?:"?pgboss"?\.)?"?(\w+)"?/i;

/** The name of a prepared statement; else what it does, and to which table. */
export function summaryOf(statement: unknown): string {
  const { name, text } = (typeof statement === 'object' ? statement : { text: statement }) as {
    name?: string;
    text?: unknown;
  };
  if (name) return name;
  const told = TELLING.exec(String(text));
  if (!told) return /^\s*(\w+)/.exec(String(text))?.[1]?.toUpperCase() ?? 'statement';
  const [, insert, update, remove, , table] = told;
  return `${insert ? 'INSERT' : update ? 'UPDATE' : remove ? 'DELETE' : 'SELECT'} ${table}`;
}
