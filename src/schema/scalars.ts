/** Scalars that let text through as it is, instead of parsing and printing it again on every read. */
import { GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { INSTANT, instantFrom, isDate } from '../instants.ts';

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID in the canonical form (RFC 9562 section 4); braces and missing hyphens are not. */
export const isUuid = (text: string): boolean => CANONICAL_UUID.test(text);

function parseUuid(value: unknown): string {
  if (typeof value !== 'string' || !isUuid(value)) throw new TypeError('must be a UUID');
  return value.toLowerCase();
}

const literal =
  <T>(parse: (value: unknown) => T) =>
  (node: ValueNode): T =>
    parse(node.kind === Kind.STRING ? node.value : undefined);

/** RFC 9562 text form. */
export const UuidScalar = new GraphQLScalarType<string, string>({
  name: 'UUID',
  description: 'A UUID in its canonical form, such as 0198c0de-7b7a-7000-8000-000000000000.',
  serialize: (value) => value as string,
  parseValue: parseUuid,
  parseLiteral: literal(parseUuid),
});

/**
 * An instant in the form that the API speaks, RFC 3339 in UTC with milliseconds. PostgreSQL's text
 * (`2026-11-21 08:00:00.5+00`, sessions run in UTC) is rearranged, not parsed: a list of a hundred tenants has hundreds.
 */
export function toRfc3339(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  const text = String(value);
  if (text.endsWith('Z')) return text;
  // As nearly all are: a third of the time of what follows.
  if (text.length === 26 && text.endsWith('+00')) return `${text.slice(0, 10)}T${text.slice(11, 23)}Z`;
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20).split('+')[0]!.padEnd(3, '0').slice(0, 3)}Z`;
}

function parseInstant(value: unknown): Date {
  const date = typeof value === 'string' ? instantFrom(value) : undefined;
  if (!date) throw new TypeError(`must be ${INSTANT}`);
  return date;
}

/** RFC 3339. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant, RFC 3339 in UTC, such as 2026-11-21T08:00:00.000Z.',
  serialize: toRfc3339,
  parseValue: parseInstant,
  parseLiteral: literal(parseInstant),
});

function parseDate(value: unknown): string {
  if (typeof value !== 'string' || !isDate(value)) throw new TypeError('must be a date, YYYY-MM-DD');
  return value;
}

/** A calendar date without a zone. */
export const DateScalar = new GraphQLScalarType<string, string>({
  name: 'Date',
  description: 'A calendar date without a zone, such as 2026-11-01.',
  serialize: (value) => String(value).slice(0, 10),
  parseValue: parseDate,
  parseLiteral: literal(parseDate),
});

const refuseJson = () => {
  throw new TypeError('is only ever answered');
};

/** Whatever JSON can hold; no input takes it. */
export const JsonScalar = new GraphQLScalarType<never, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: refuseJson,
  parseLiteral: refuseJson,
});

function parseSequence(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError('must be a sequence of an event');
  return value as number;
}

/** A place in the order of events: whole numbers beyond GraphQL's 32 bits. */
export const SequenceScalar = new GraphQLScalarType<number, number>({
  name: 'Sequence',
  description:
    'The place of an event in the order of events: a whole number up to 2^53. Give the last one that you saw as `after` to go on from there.',
  serialize: (value) => value as number,
  parseValue: parseSequence,
  parseLiteral: (node) => parseSequence(node.kind === Kind.INT ? Number(node.value) : undefined),
});
