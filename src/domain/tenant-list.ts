/**
 * The list of tenants in any order. A cursor carries what the order goes by, so that each page starts where an index finds
 * it, however far down the list it is.
 */
import { z } from 'zod';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import { TENANT_COLUMNS, type TenantRow } from './organizations.ts';
import * as rules from './rules.ts';
import { takeUsage, USAGE_COLUMNS, USAGE_ID, usageOfNobody } from './usage.ts';

export enum TenantOrderField {
  CREATED_AT = 'created_at',
  NAME = 'name',
  SLUG = 'slug',
  STATUS = 'status',
}

export enum OrderDirection {
  ASC = 'asc',
  DESC = 'desc',
}

export interface TenantOrder {
  field: TenantOrderField;
  /** Ascending, unless it says otherwise. */
  direction?: OrderDirection | null;
}

/** What goes before the id in an order; creation is the order of the ids. */
interface Key {
  column: string;
  /** The key of a value that a cursor carries. */
  of(placeholder: string): string;
  value(row: TenantRow): string;
  rule: z.ZodType<string>;
}

const KEYS: Record<TenantOrderField, Key | undefined> = {
  created_at: undefined,
  name: { column: 'lower(o.name)', of: (text) => `lower(${text})`, value: ({ name }) => name, rule: rules.text },
  slug: { column: 'o.slug', of: (text) => text, value: ({ slug }) => slug, rule: rules.text },
  status: {
    column: 'o.status',
    of: (text) => `${text}::tenant_status`,
    value: ({ status }) => status,
    rule: z.enum(TenantStatus),
  },
};

/** Reads and writes the cursors of one order. */
export class TenantCursors {
  readonly key: Key | undefined;
  readonly direction: OrderDirection;
  /** Stands in its cursors, so that those of another order are refused; absent where they are plain ids. */
  readonly name?: string;

  constructor({ field, direction }: TenantOrder = { field: TenantOrderField.CREATED_AT }) {
    this.key = KEYS[field];
    this.direction = direction ?? OrderDirection.ASC;
    if (this.key || this.direction === OrderDirection.DESC) this.name = `${field} ${this.direction}`;
  }

  of(row: TenantRow): string {
    if (!this.name) return row.id;
    return Buffer.from(JSON.stringify([this.name, ...(this.key ? [this.key.value(row)] : []), row.id])).toString(
      'base64url',
    );
  }

  fits(cursor: string): boolean {
    return this.placeOf(cursor) !== undefined;
  }

  /** What the page comes after: the key's value, if the order has a key, and the id. */
  placeOf(cursor: string): string[] | undefined {
    if (!this.name) return rules.uuid.safeParse(cursor).success ? [cursor] : undefined;
    const parts = z.tuple([z.literal(this.name), ...(this.key ? [this.key.rule] : []), rules.uuid]);
    const [, ...place] = parts.safeParse(jsonIn(cursor)).data ?? [];
    return place.length > 0 ? place : undefined;
  }
}

function jsonIn(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}

export interface TenantPage {
  /** At most so many. */
  limit: number;
  /** The cursor after which the page starts. */
  after?: string | null;
  status?: TenantStatus | null;
  /** Literal text in the name or slug, without case. */
  search?: string | null;
}

/** How much of the usage a page is to have: all of it is its id as well. */
export type UsageWanted = 'none' | 'counts' | 'all';

/** A page of tenants; with their usage by one JOIN where it is wanted. */
export async function listTenants(
  ctx: Context,
  cursors: TenantCursors,
  wanted: TenantPage,
  usage: UsageWanted,
): Promise<TenantRow[]> {
  const { statement, values } = pageOf(cursors, wanted, usage);
  const rows = await ctx.rows(statement, values);
  if (usage !== 'none') for (const row of rows) row.usage = takeUsage(row) ?? usageOfNobody(row.id);
  return rows;
}

const OF_USAGE = { none: '', counts: `, ${USAGE_COLUMNS}`, all: `, ${USAGE_COLUMNS}, ${USAGE_ID}` };

/** A statement for each order and set of filters: one that serves all of them could use the index of none. */
function pageOf(cursors: TenantCursors, { limit, after, status, search }: TenantPage, usage: UsageWanted) {
  const { key, direction } = cursors;
  const values: unknown[] = [];
  const conditions: string[] = [];
  const parts = [`tenants_with_${usage}`];
  if (cursors.name) parts.push(cursors.name);
  const add = (value: unknown) => `$${values.push(value)}`;
  // Not a parameter, so that the planner knows how rare it is.
  if (status) {
    parts.push(status);
    conditions.push(`o.status = '${status}'`);
  }
  if (search) {
    const text = `lower(${add(search)})`;
    parts.push('search');
    conditions.push(`(position(${text} in lower(o.name)) > 0 or position(${text} in o.slug) > 0)`);
  }
  const place = after && cursors.placeOf(after)?.map(add);
  // Also said of the usage: a merge of the two would else begin at its first row, however far down the list the page is, which
  // was half of what a page of 100 among 10,000 cost the server.
  let join = 'left join usage u on u.org_id = o.id';
  if (place) {
    const id = place.at(-1);
    if (!key) join += ` and u.org_id ${direction === OrderDirection.ASC ? '>' : '<'} ${id}`;
    const [than, columns] = key ? [`(${key.of(place[0]!)}, ${id})`, `(${key.column}, o.id)`] : [id, 'o.id'];
    parts.push('after');
    conditions.push(`${columns} ${direction === OrderDirection.ASC ? '>' : '<'} ${than}`);
  }
  const columns = `${TENANT_COLUMNS}${OF_USAGE[usage]}`;
  // In another order each row's is looked up: a plan for any page size would rather read all of them.
  if (key) join = 'left join lateral (select * from usage where org_id = o.id offset 0) u on true';
  const text = `select ${columns} from organizations o ${usage === 'none' ? '' : join}
    ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
    order by ${key ? `${key.column} ${direction}, ` : ''}o.id ${direction} limit ${add(limit)}`;
  return { statement: query<TenantRow & Record<string, unknown>>(parts.join('+'), text), values };
}
