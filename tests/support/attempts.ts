/** Requests that try an operation over either surface, with the same values on both. */
import {
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';
import { toSnake } from '../../src/rest/names.ts';
import type { ApiDescription } from './api-description.ts';

export type Field = GraphQLField<unknown, unknown>;
export type Values = Record<string, unknown>;
export type Headers = Record<string, string>;

/** `ok`, or the error's code as REST spells it; REST's status besides. */
export interface Outcome {
  code: string;
  status?: number;
  text: string;
}

/** Finds the id that an argument asks for, by its noun: `division`, `apiKey`. */
export type IdOf = (noun: string) => string;

const NOUNS =
  /SuperAdmin|DatabaseServer|TenantUser|Impersonation|UpgradeRun|Upgrade|Tenant|Purge|Offboarding|ApiKey|Session|Exception|Division|Role|Agent/;
/** Where they call something else than the thing whose id is taken. */
const CALLED: Record<string, string> = {
  UpgradeRun: 'upgrade',
  TenantUser: 'agent',
  Purge: 'tenant',
  Offboarding: 'tenant',
};

/** What fits, by the names of arguments and fields, wherever they stand. */
const FITTING: Values = {
  startTime: '08:00',
  endTime: '17:00',
  timezone: 'Asia/Jakarta',
  component: 'postgres',
  calendar:
    'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n' +
    'DTSTART;VALUE=DATE:20270101\r\nSUMMARY:New Year\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
};
const OF_TYPE: Values = { Int: 1, Float: 1, Boolean: true, Date: '2026-12-25', DateTime: '2026-11-21T08:00:00Z' };

/** What an operation needs, and every id that it takes; `special` goes before all else. */
export function valuesFor(field: Field, idOf: IdOf, special: Values = {}): Values {
  const wanted = field.args.filter(
    ({ name, type, defaultValue }) =>
      name in special || (isNonNullType(type) && defaultValue === undefined) || holdsId(type),
  );
  return Object.fromEntries(
    wanted.map(({ name, type }) => [name, name in special ? special[name] : fit(type, name, field.name, idOf)]),
  );
}

function fit(type: GraphQLInputType, name: string, operation: string, idOf: IdOf): unknown {
  const nullable = getNullableType(type);
  // No permission at all is fit for every list of them.
  if (isListType(nullable)) {
    return isEnumType(getNamedType(nullable)) ? [] : [fit(nullable.ofType, name, operation, idOf)];
  }
  if (isInputObjectType(nullable)) {
    const needed = Object.values(nullable.getFields()).filter(
      (field) => isNonNullType(field.type) || holdsId(field.type),
    );
    return Object.fromEntries(needed.map((field) => [field.name, fit(field.type, field.name, operation, idOf)]));
  }
  if (nullable.name === 'UUID') return idOf(name === 'id' ? nounOf(operation) : name.replace(/Ids?$/, ''));
  return FITTING[name] ?? OF_TYPE[nullable.name] ?? 'text text';
}

/** Of what an operation's `id` is. */
export function nounOf(operation: string): string {
  const [noun] = NOUNS.exec(operation.replace(/^./, (letter) => letter.toUpperCase())) ?? [];
  if (!noun) throw new Error(`whose id does ${operation} take?`);
  return CALLED[noun] ?? noun.replace(/^./, (letter) => letter.toLowerCase());
}

function holdsId(type: GraphQLInputType): boolean {
  const named = getNamedType(type);
  if (isInputObjectType(named)) return Object.values(named.getFields()).some((field) => holdsId(field.type));
  return named.name === 'UUID';
}

export async function overGraphql(
  url: string,
  kind: string,
  { name, args, type }: Field,
  values: Values,
  headers: Headers,
): Promise<Outcome> {
  const used = args.filter((argument) => argument.name in values);
  const declared = used.map((argument) => `$${argument.name}: ${argument.type}`).join(', ');
  const given = used.map((argument) => `${argument.name}: $${argument.name}`).join(', ');
  const plain = isLeafType(getNamedType(type));
  const query = `${kind} ${declared && `(${declared})`} { ${name}${given && `(${given})`} ${plain ? '' : '{ __typename }'} }`;
  const follows = kind === 'subscription';
  const response = await fetch(`${url}/graphql${follows ? '/stream' : ''}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(follows && { accept: 'text/event-stream' }), ...headers },
    body: JSON.stringify({ query, variables: values }),
  });
  const text = follows && response.ok ? await firstEvent(response) : await response.text();
  const { data, errors, code } = JSON.parse(text);
  if (code) return { code, status: response.status, text };
  if (!errors) return { code: 'ok', text };
  if (data?.[name]) return { code: 'an error, and data besides', text };
  return { code: errors[0].extensions.code.toLowerCase(), text };
}

/** The first thing that a stream of events tells. */
async function firstEvent(response: Response): Promise<string> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const [, data] = /^event: next\ndata: (.*)$/m.exec(text) ?? [];
    // Leaving the loop ends the stream.
    if (data) return data;
  }
  throw new Error(`nothing was told: ${text}`);
}

/** @param line method and path, as the description spells them. */
export async function overRest(
  url: string,
  line: string,
  values: Values,
  headers: Headers,
  description: ApiDescription,
): Promise<Outcome> {
  const [method, path] = line.split(' ') as [string, string];
  const { input, filter, ...others } = values;
  const left = JSON.parse(JSON.stringify(inRest({ ...(input as Values), ...(filter as Values), ...others }))) as Values;
  const take = (name: string) => {
    const value = left[name];
    delete left[name];
    return String(value);
  };
  // `tenants/{id}` is a tenant's, whatever other ids come along.
  const filled = path.replace(/([a-z-]+)\/\{(\w+)\}/g, (_, segment: string, name: string) => {
    const own = `${segment.replaceAll('-', '_').replace(/s$/, '')}_id`;
    const key = [name, own].find((one) => one in left) ?? Object.keys(left).find((one) => one.endsWith('_id'))!;
    return `${segment}/${take(key)}`;
  });
  const query = new URLSearchParams();
  for (const parameter of description.operation(method, path).parameters ?? []) {
    const { in: place, name } = description.resolve(parameter);
    if (place === 'query' && name in left) query.set(name, take(name));
  }
  const body = input || Object.keys(left).length > 0 ? JSON.stringify(left) : undefined;
  const response = await fetch(`${url}${filled}${query.size > 0 ? `?${query}` : ''}`, {
    method,
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    body,
  });
  const text = await response.text();
  const { status } = response;
  return { code: status < 400 ? 'ok' : JSON.parse(text).code, status, text };
}

/** Names in snake case, permissions as REST spells them. */
function inRest(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inRest);
  if (typeof value === 'string') {
    return /^[A-Z]+_[A-Z]+$/.test(value) ? value.toLowerCase().replace('_', '.') : value;
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [toSnake(name), inRest(member)]));
}
