/** What the digest of an audit entry covers: everything it says, in one canonical text. */
import { createHash } from 'node:crypto';

/** The fields of an entry; what it does not have is absent or null, which is the same. */
export interface EntryContent {
  id: string;
  orgId?: string | null;
  actorKind: string;
  actorId?: string | null;
  actorEmail?: string | null;
  onBehalfOf?: string | null;
  action: string;
  targetType?: string | null;
  targetId?: string | null;
  before?: unknown;
  after?: unknown;
  requestId?: string | null;
  address?: string | null;
  /** RFC 3339 in UTC with milliseconds. */
  createdAt: string;
}

/** In the order of the text. A later field goes to the end, so that entries without it keep their digest. */
const FIELDS = [
  'id',
  'orgId',
  'actorKind',
  'actorId',
  'actorEmail',
  'onBehalfOf',
  'action',
  'targetType',
  'targetId',
  'before',
  'after',
  'requestId',
  'address',
  'createdAt',
] as const satisfies (keyof EntryContent)[];

/** SHA-256. */
export function digestOf(entry: EntryContent): Buffer {
  const present = FIELDS.filter((field) => entry[field] != null).map((field) => [field, sorted(entry[field])]);
  return createHash('sha256').update(JSON.stringify(present)).digest();
}

/** PostgreSQL's jsonb does not keep the order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

/** Of a table of entries `l`: as `EntryContent`, whatever a connection makes of instants and JSON. */
export const contentColumns = (hasOrg: boolean) => `
  l.id, ${hasOrg ? 'l.org_id as "orgId", ' : ''}l.actor_kind as "actorKind", l.actor_id as "actorId",
  l.actor_email as "actorEmail", l.on_behalf_of as "onBehalfOf", l.action, l.target_type as "targetType",
  l.target_id as "targetId", l.before::text as before, l.after::text as after, l.request_id as "requestId", l.address,
  case when l.created_at >= '0001-01-01T00:00:00Z' and l.created_at < '10000-01-01T00:00:00Z'
       then to_char(l.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
       -- No entry is of such a time, and to_char leaves out what tells it from another.
       else l.created_at::text end as "createdAt"`;

/** Such a row with its JSON read. */
export function contentOf<Row extends EntryContent>(row: Row): Row {
  return { ...row, before: json(row.before), after: json(row.after) };
}

function json(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  // An entry without it has no value at all.
  return text === 'null' ? { json: text } : JSON.parse(text, exactly);
}

/** A number of more digits than one of JavaScript holds was never written by a gateway: it is told apart by its text. */
function exactly(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== String(value) ? { number: context?.source } : value;
}
