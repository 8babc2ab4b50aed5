/**
 * What an export holds, kind by kind: which rows, in which order, with which fields. From this come the statements that read
 * them and the JSON Schema that describes them (docs/export.schema.json), so that neither can say something else.
 */
import pg from 'pg';
import { z } from 'zod';
import type { Side } from '../backup/archive.ts';

/** Of the form of the lines. Within one, kinds and fields may be added, and nothing else changes. */
export const EXPORT_FORMAT = 1;

interface Field {
  schema: z.ZodType;
  /** What reads it, of the column by its name. */
  sql(column: string): string;
}

const field = (schema: z.ZodType, sql: Field['sql'] = (column) => column): Field => ({ schema, sql });
const nullable = ({ schema, sql }: Field): Field => ({ schema: schema.nullable(), sql });

const id = field(z.uuid());
const text = field(z.string());
const whole = field(z.int());
const flag = field(z.boolean());
const texts = field(z.array(z.string()));
const day = field(z.iso.date());
const clock = field(z.iso.time({ precision: 0 }));
/** RFC 3339 in UTC, with milliseconds. */
const instant = field(
  z.iso.datetime({ precision: 3 }),
  (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
);
const object = field(z.record(z.string(), z.unknown()));
const anything = field(z.unknown());

export interface Kind {
  /** The `type` of its lines. */
  type: string;
  about: string;
  side: Side;
  /** What follows FROM; `$1` is the tenant's id on the control plane's side. */
  from: string;
  order: string;
  fields: Record<string, Field>;
}

const tenant = (type: string, about: string, from: string, order: string, fields: Kind['fields']): Kind => ({
  type,
  about,
  side: 'tenant',
  from,
  order,
  fields,
});
const control = (type: string, about: string, from: string, order: string, fields: Kind['fields']): Kind => ({
  ...tenant(type, about, from, order, fields),
  side: 'control',
});

const ofOrg = (table: string) => `${table} where org_id = $1`;

/** In the order of the lines: what is referred to comes before what refers to it. */
export const KINDS: readonly Kind[] = [
  control('organization', 'The company itself; one line.', 'organizations where id = $1', 'id', {
    id,
    name: text,
    slug: text,
    status: text,
    country: nullable(text),
    limits: object,
    created_at: instant,
    updated_at: instant,
  }),
  tenant('setting', 'A setting, such as `timezone`.', 'settings', 'key', {
    key: text,
    value: text,
    updated_at: instant,
  }),
  tenant('role', 'A role and what it allows. What a system role allows is fixed by the product.', 'roles', 'id', {
    id,
    name: text,
    description: nullable(text),
    is_system: flag,
    permissions: texts,
    created_at: instant,
    updated_at: instant,
  }),
  tenant('agent', 'A person who works there, or did: `deleted_at` says since when no more.', 'agents', 'id', {
    id,
    email: text,
    full_name: text,
    role_id: id,
    is_online: flag,
    last_seen_at: nullable(instant),
    deleted_at: nullable(instant),
    created_at: instant,
    updated_at: instant,
  }),
  control('account', 'Who may sign in; its id is that of the agent. Without the password.', ofOrg('identities'), 'id', {
    id,
    email: text,
    suspended_at: nullable(instant),
    created_at: instant,
  }),
  control('api_key', 'An API key, without the key.', ofOrg('api_keys'), 'id', {
    id,
    maker_id: id,
    name: text,
    prefix: text,
    scopes: texts,
    expires_at: nullable(instant),
    last_used_at: nullable(instant),
    created_at: instant,
  }),
  tenant('division', 'A part of the company.', 'divisions', 'id', {
    id,
    name: text,
    description: nullable(text),
    timezone: nullable(text),
    created_at: instant,
    updated_at: instant,
  }),
  tenant('division_agent', 'An agent in a division.', 'division_agents', 'division_id, agent_id', {
    division_id: id,
    agent_id: id,
    created_at: instant,
  }),
  tenant(
    'working_hours',
    'A stretch of a weekday, 0 being Sunday; without a division, of all.',
    'working_hours',
    'id',
    {
      id,
      division_id: nullable(id),
      day_of_week: whole,
      start_time: clock,
      end_time: clock,
      is_active: flag,
      created_at: instant,
      updated_at: instant,
    },
  ),
  tenant(
    'working_hours_exception',
    'Days that differ from the week, such as holidays.',
    'working_hours_exceptions',
    'id',
    {
      id,
      division_id: nullable(id),
      name: text,
      start_date: day,
      end_date: day,
      yearly: flag,
      hours: field(z.array(z.object({ startTime: z.iso.time(), endTime: z.iso.time() }))),
      created_at: instant,
      updated_at: instant,
    },
  ),
  tenant(
    'exception_opt_out',
    'A division for which days of all do not hold.',
    'exception_opt_outs',
    'exception_id, division_id',
    { exception_id: id, division_id: id },
  ),
  tenant('schedule_version', 'What the hours were from an instant on.', 'schedule_versions', 'seq', {
    seq: whole,
    division_id: nullable(id),
    valid_from: instant,
    schedule: nullable(object),
  }),
  tenant('integration', 'A channel that was connected.', 'integrations', 'id', {
    id,
    channel: text,
    is_active: flag,
    created_at: instant,
  }),
  tenant('contact', 'Someone who writes to the company.', 'contacts', 'id', { id, name: text, created_at: instant }),
  tenant('message', 'A message that came in or went out.', 'messages', 'id', {
    id,
    contact_id: id,
    channel: text,
    body: text,
    created_at: instant,
  }),
  tenant('activity', 'Who changed what, in the company itself.', 'activity_log', 'id', logged()),
  control(
    'platform_activity',
    'What the platform did with the company, and who signed in.',
    ofOrg('audit_entries'),
    'id',
    logged(),
  ),
  control('usage_day', 'What was in use on a day.', ofOrg('usage_days'), 'day', {
    day,
    agents: whole,
    contacts: whole,
    messages: whole,
  }),
];

function logged(): Kind['fields'] {
  return {
    id,
    actor_kind: text,
    actor_id: nullable(id),
    actor_email: nullable(text),
    on_behalf_of: nullable(id),
    action: text,
    target_type: nullable(text),
    target_id: nullable(text),
    before: anything,
    after: anything,
    request_id: nullable(text),
    // Where staff of the platform sit is not the tenants' business.
    address: nullable(field(z.string(), (column) => `case when actor_kind <> 'super_admin' then ${column} end`)),
    created_at: instant,
  };
}

/**
 * Tables that no export holds, with the reason: a table that is neither here nor in `KINDS` fails a test, so that whoever makes
 * one decides.
 */
export const NOT_EXPORTED: Readonly<Record<Side, Readonly<Record<string, string>>>> = {
  tenant: {
    activity_chain: 'only the platform can hold the chain against its key',
    activity_unlinked: 'only the platform can hold the chain against its key',
    mikro_orm_migrations: 'of the platform',
    usage_counters: 'counts of what is in the export',
    usage_limits: 'in `organization`',
  },
  control: {
    activity_heads: 'only the platform can hold the chain against its key',
    left_databases: 'of tenants that are no more',
    offboarding_runs: 'of the platform',
    provisioning_runs: 'of the platform',
    provisioning_steps: 'of the platform',
    sessions: 'end by themselves',
    tenant_archives: 'of the platform',
    tenant_databases: 'holds a password',
    tenant_exports: 'of the platform',
    tenant_moves: 'of the platform',
    upgrade_items: 'of the platform',
    usage: 'counts of what is in the export',
  },
};

export const tableOf = ({ from }: Kind): string => from.split(' ')[0]!;

const rowsOf = ({ from }: Kind, orgId: string) => from.replace('$1', pg.escapeLiteral(orgId));

/** The rows of a kind as lines, in order. */
export function linesOf(kind: Kind, orgId: string): string {
  const columns = Object.entries(kind.fields).map(([name, { sql }]) => `${sql(`"${name}"`)} as "${name}"`);
  return `select row_to_json(line)::text as line from
    (select '${kind.type}' as type, ${columns.join(', ')} from ${rowsOf(kind, orgId)} order by ${kind.order}) line`;
}

/** How many there are. */
export const countOf = (kind: Kind, orgId: string): string =>
  `select count(*)::int as count from ${rowsOf(kind, orgId)}`;
