/** Requests that should do, for every operation of the API description. */
import fc from 'fast-check';
import type { Operation as Described, OpenApi, Parameter, Schema } from '../../src/rest/openapi/types.ts';
import { ApiDescription } from '../support/api-description.ts';
import { nounOf } from '../support/attempts.ts';
import { actorFor, tenantIndex } from './actors.ts';
import type { Draft, Operation } from './model.ts';
import { idOf, named, OF_FORMAT, subject } from './values.ts';

/** A few keys, each of which is refused when another request comes with it; most requests come without one. */
const repeated = fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 200 }) });

export function restOperations(document: OpenApi, demands: Map<string, string>): Operation[] {
  const description = new ApiDescription(document);
  return description.operations().map(({ method, path, operation }) => {
    const key = `${method} ${path}`;
    return { surface: 'REST', key, valid: requestTo(description, key, operation, demands.get(key) ?? 'public') };
  });
}

function requestTo(
  description: ApiDescription,
  key: string,
  described: Described,
  demand: string,
): fc.Arbitrary<Draft> {
  const [method, path] = key.split(' ') as [string, string];
  const parameters = (described.parameters ?? []).map((parameter) => description.resolve<Parameter>(parameter));
  const of: Of = {
    operation: key,
    noun: (name) => subject(name === 'id' ? nounOf(described.operationId) : name.replace(/_ids?$/, ''), key),
  };
  const at = (place: string) => {
    const those = parameters.filter((parameter) => parameter.in === place);
    const values = Object.fromEntries(those.map(({ name, schema }) => [name, valueFor(schema, name, of)]));
    return fc.record(values, { requiredKeys: those.filter(({ required }) => required).map(({ name }) => name) });
  };
  const body = described.requestBody?.content['application/json']?.schema;
  return fc
    .record({
      actor: actorFor(demand),
      tenant: tenantIndex,
      inPath: at('path'),
      inQuery: at('query'),
      body: body ? valueFor(body, '', of) : fc.constant(undefined),
      repeat: method === 'POST' ? repeated : fc.constant(null),
    })
    .map(({ inPath, inQuery, repeat, ...rest }): Draft => {
      const headers: Record<string, string> = repeat === null ? {} : { 'idempotency-key': `fuzz-${repeat}` };
      return {
        ...rest,
        surface: 'REST',
        operation: key,
        method,
        path: path.replace(/\{(\w+)\}/g, (_, name: string) => String(inPath[name])),
        query: Object.entries(inQuery).map(([name, value]) => [name, String(value)]),
        headers: rest.body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        twists: [],
        hostile: [],
        described: true,
      };
    });
}

interface Of {
  operation: string;
  /** Of what a field's ids are. */
  noun(name: string): string;
}

function valueFor(schema: Schema, name: string, of: Of): fc.Arbitrary<unknown> {
  const [type] = [schema.type].flat();
  if (schema.enum) return fc.constantFrom(...(schema.enum as unknown[]));
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => valueFor(one, name, of)));
  if (type === 'null') return fc.constant(null);
  if (type === 'array') return listOf(schema, name, of);
  if (type === 'object') return objectOf(schema, of);
  if (schema.format === 'uuid') return idOf(name === 'after' ? 'agent' : of.noun(name));
  const byName = named(name, of.operation);
  if (byName) return byName;
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer' || type === 'number') {
    return fc.integer({ min: (schema.minimum as number) ?? 0, max: (schema.maximum as number) ?? 1000 });
  }
  return OF_FORMAT[String(schema.format)] ?? fc.string({ minLength: (schema.minLength as number) ?? 1, maxLength: 60 });
}

function listOf(schema: Schema, name: string, of: Of): fc.Arbitrary<unknown> {
  const { minItems = 0 } = schema as { minItems?: number };
  return fc.array(valueFor(schema.items!, name, of), { minLength: minItems, maxLength: 4 });
}

function objectOf({ properties = {}, required = [], dependentRequired = {} }: Schema, of: Of): fc.Arbitrary<unknown> {
  const values = Object.entries(properties).map(([name, schema]) => [name, valueFor(schema, name, of)] as const);
  return fc.record(Object.fromEntries(values), { requiredKeys: required }).map((made) => {
    const lacking = ([name]: [string, unknown]) => (dependentRequired[name] ?? []).some((other) => !(other in made));
    return Object.fromEntries(Object.entries(made).filter((member) => !lacking(member)));
  });
}
