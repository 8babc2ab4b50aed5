/** Requests that should do, for every field of the schema's roots. */
import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  OperationTypeNode,
} from 'graphql';
import { nounOf } from '../support/attempts.ts';
import { actorFor, tenantIndex } from './actors.ts';
import type { Draft, Operation } from './model.ts';
import { idOf, named, OF_SCALAR, subject } from './values.ts';

type Field = GraphQLField<unknown, unknown>;
type Input = GraphQLArgument | GraphQLInputField;

export function graphqlOperations(schema: GraphQLSchema, demands: Map<string, string>): Operation[] {
  return Object.values(OperationTypeNode).flatMap((kind) =>
    Object.values(schema.getRootType(kind)?.getFields() ?? {}).map((field) => {
      const key = `${kind} ${field.name}`;
      return { surface: 'GraphQL' as const, key, valid: requestTo(kind, field, demands.get(key) ?? 'public') };
    }),
  );
}

function requestTo(kind: string, field: Field, demand: string): fc.Arbitrary<Draft> {
  const follows = kind === 'subscription';
  const streamed = { path: '/graphql/stream', accept: 'text/event-stream' };
  const { path, ...accept } = follows ? streamed : { path: '/graphql' };
  return fc
    .record({
      actor: actorFor(demand),
      tenant: tenantIndex,
      variables: inputsFor(field.args, field.name),
      depth: fc.nat({ max: 3 }),
    })
    .map(({ variables, depth, ...who }): Draft => {
      const used = field.args.filter(({ name }) => name in variables);
      const list = (items: string[]) => (items.length > 0 ? `(${items.join(', ')})` : '');
      const declared = list(used.map(({ name, type }) => `$${name}: ${type}`));
      const given = list(used.map(({ name }) => `${name}: $${name}`));
      const query = `${kind} Fuzz${declared} { ${field.name}${given} ${selectionOf(field.type, depth)} }`;
      return {
        ...who,
        surface: 'GraphQL',
        operation: `${kind} ${field.name}`,
        method: 'POST',
        path,
        query: [],
        headers: { 'content-type': 'application/json', ...accept },
        body: { query, variables },
        twists: [],
        hostile: [],
        described: true,
      };
    });
}

/** Every plain field, and those beneath to a depth. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (!isObjectType(named)) return '{ __typename }';
  const fields = Object.values(named.getFields())
    .filter(({ args }) => args.every((argument) => !isNonNullType(argument.type)))
    .filter((field) => isLeafType(getNamedType(field.type)) || depth > 0)
    .map((field) => `${field.name} ${selectionOf(field.type, depth - 1)}`.trim());
  return `{ ${['__typename', ...fields].join(' ')} }`;
}

function inputsFor(inputs: readonly Input[], operation: string): fc.Arbitrary<Record<string, unknown>> {
  const values = inputs.map((input) => [input.name, valueFor(input.type, input.name, operation)] as const);
  const needed = inputs.filter(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);
  return fc.record(Object.fromEntries(values), { requiredKeys: needed.map(({ name }) => name) });
}

function valueFor(type: GraphQLInputType, name: string, operation: string): fc.Arbitrary<unknown> {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return fc.array(valueFor(nullable.ofType, name, operation), { minLength: 1, maxLength: 3 });
  if (isInputObjectType(nullable)) return inputsFor(Object.values(nullable.getFields()), operation);
  if (isEnumType(nullable)) return fc.constantFrom(...nullable.getValues().map((value) => value.name));
  if (nullable.name === 'UUID')
    return idOf(subject(name === 'id' ? nounOf(operation) : name.replace(/Ids?$/, ''), operation));
  // A cursor of events is a number, one of a list a text.
  return (nullable.name !== 'Sequence' && named(name, operation)) || OF_SCALAR[nullable.name]!;
}
