/** Values that should do, by the names of fields and their types; the same on both surfaces. */
import fc from 'fast-check';
import { SERVED_FROM_VERSION, TENANT_SCHEMA_VERSION } from '../../src/db/migrations/tenant/index.ts';
import { toSnake } from '../../src/rest/names.ts';
import { KNOWN_PASSWORD, PASSWORD_MARK } from './model.ts';

const DAY_MS = 86_400_000;
const day = fc
  .integer({ min: 0, max: 4000 })
  .map((n) => new Date(Date.UTC(2026, 0, 1) + n * DAY_MS).toISOString().slice(0, 10));
const instant = fc
  .integer({ min: 0, max: 300_000_000 })
  .map((seconds) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString());
const two = (n: number) => String(n).padStart(2, '0');
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
  .map(([h, m]) => `${two(h)}:${two(m)}`);
const words = fc
  .array(
    fc.constantFrom('Kopi', 'Kita', 'Sørensen', '日本', 'Ayu', 'مرحبا', "O'Brien", 'Ünal', '🙂', 'a-b', '100%', 'x_y'),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .chain((list) => fc.nat({ max: 9999 }).map((n) => `${list.join(' ')} ${n}`));
const password = fc.nat({ max: 99_999 }).map((n) => `${PASSWORD_MARK}-${n}`);
const email = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 1_000_000 }).map((n) => `f${n}@fuzz.test`) },
  { weight: 1, arbitrary: fc.nat({ max: 20 }).map((n) => `@own:email:${n}@`) },
);
const calendar = fc
  .tuple(day, words)
  .map(
    ([date, summary]) =>
      `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:fuzz\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n` +
      `DTSTART;VALUE=DATE:${date.replaceAll('-', '')}\r\nSUMMARY:${summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
  );
const few = fc.integer({ min: 1, max: 60 });
const serverUrl = fc.nat({ max: 20 }).map((n) => `@own:serverUrl:${n}@`);

/** The region of the server that takes no tenants. */
export const FAR = 'far';

/** By the names of fields in snake case. */
const NAMED: Record<string, fc.Arbitrary<unknown>> = {
  email,
  admin_email: email,
  password: fc.oneof(password, fc.constant(KNOWN_PASSWORD)),
  admin_password: password,
  new_password: password,
  name: words,
  full_name: words,
  org_name: words,
  description: words,
  reason: words,
  search: fc.constantFrom('a', 'fuzz', 'Kopi', '%', '_'),
  slug: fc.nat({ max: 100_000 }).map((n) => `@fresh:slug:${n}@`),
  tenant: fc.nat({ max: 20 }).map((n) => `@${n % 4 === 0 ? 'any' : 'own'}:slug:${n}@`),
  country: fc.constantFrom('ID', 'DE', 'US'),
  timezone: fc.constantFrom('Asia/Jakarta', 'UTC', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Calcutta'),
  start_time: time,
  end_time: time,
  start_date: day,
  end_date: day,
  at: instant,
  from: instant,
  to: instant,
  expires_at: fc.constantFrom('2035-01-01T00:00:00Z', '2040-06-01T12:00:00.000Z'),
  calendar,
  role: fc.constantFrom('admin', 'supervisor', 'agent'),
  component: fc.constantFrom('postgres', 'redis', 'kafka', 'api_gateway'),
  action: fc.constantFrom('division.update', 'agent.*', 'user.login'),
  target_type: fc.constantFrom('division', 'agent', 'role'),
  target_id: fc.nat({ max: 30 }).map((n) => `@own:division:${n}@`),
  after: fc.nat({ max: 30 }).map((n) => `@own:agent:${n}@`),
  day_of_week: fc.integer({ min: 0, max: 6 }),
  first: few,
  limit: few,
  count: few,
  minutes: few,
  buckets: few,
  days: few,
  min_ratio: fc.constantFrom(0, 0.5, 1),
  max_agents: fc.integer({ min: 200, max: 2_147_483_647 }),
  max_contacts: fc.nat({ max: 2_147_483_647 }),
  max_messages_month: fc.nat({ max: 2_147_483_647 }),
  url: serverUrl,
  pooled_url: serverUrl,
  region: fc.constant(FAR),
  capacity: fc.integer({ min: 1000, max: 1_000_000 }),
  max_read_only_seconds: fc.integer({ min: 10, max: 60 }),
  version: fc.constantFrom(SERVED_FROM_VERSION, TENANT_SCHEMA_VERSION),
  canary: fc.nat({ max: 2 }),
  retries: fc.nat({ max: 2 }),
  failure_budget: fc.nat({ max: 5 }),
  lock_timeout_ms: fc.integer({ min: 100, max: 2000 }),
  after_minutes: fc.integer({ min: 1000, max: 500_000 }),
};
/** Who signs in is mostly somebody. */
const SIGNING_IN: Record<string, fc.Arbitrary<unknown>> = {
  email: fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 20 }).map((n) => `@own:email:${n}@`) },
    { weight: 1, arbitrary: email },
  ),
  password: fc.oneof({ weight: 4, arbitrary: fc.constant(KNOWN_PASSWORD) }, { weight: 1, arbitrary: password }),
};
const serverName = fc.nat({ max: 100_000 }).map((n) => `server-${n}`);

/** One that fits a field of this name, where its type is plain; undefined where the name says nothing. */
export function named(name: string, operation: string): fc.Arbitrary<unknown> | undefined {
  if (name === 'name' && /database-?server/i.test(operation)) return serverName;
  return (/login/i.test(operation) && SIGNING_IN[name]) || NAMED[toSnake(name)];
}

/** An id of a thing of this noun: mostly one's own, sometimes another tenant's, or nobody's. */
export const idOf = (noun: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.oneof(
        { weight: 12, arbitrary: fc.constant('own') },
        { weight: 1, arbitrary: fc.constant('other') },
        { weight: 1, arbitrary: fc.constant('nobody') },
      ),
      fc.nat({ max: 40 }),
    )
    .map(([whose, n]) => `@${whose}:${noun}:${n}@`);

/** A tenant as a whole is any of them, mostly one whose users do not ask; its users are those of one's own. */
export const subject = (noun: string, operation: string): string =>
  noun === 'tenant' && !/user/i.test(operation) ? 'anyTenant' : noun;

export const OF_FORMAT: Record<string, fc.Arbitrary<unknown>> = { date: day, 'date-time': instant, email };
export const OF_SCALAR: Record<string, fc.Arbitrary<unknown>> = {
  Int: few,
  Float: fc.constantFrom(0, 0.5, 12),
  Boolean: fc.boolean(),
  Date: day,
  DateTime: instant,
  Sequence: fc.nat({ max: 1000 }),
  String: words,
};
