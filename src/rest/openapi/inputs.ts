/** The schemas of inputs: the rules that requests are held to, described in the words of the GraphQL schema. */
import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
} from 'graphql';
import { z } from 'zod';
import { argumentsOf } from '../../schema/document-shape.ts';
import { toSnake } from '../names.ts';
import type { Route } from '../route.ts';
import { pathRules, queryRules } from '../run-route.ts';
import { describe } from './descriptions.ts';
import type { Operation, Parameter, Schema } from './types.ts';
import { json } from './types.ts';

/** What GraphQL says of a field, by its name there. */
type Words = Record<string, GraphQLArgument | GraphQLInputField>;

/** The variable `input` is the body, as in variables.ts; any other is a field of the path, the query or the body. */
function wordsFor(schema: GraphQLSchema, route: Route): Words {
  return Object.fromEntries(
    [...argumentsOf(schema, route.document)].flatMap(([variable, argument]) =>
      variable === 'input' ? Object.entries(fieldsOf(argument)) : [[variable, argument]],
    ),
  );
}

function fieldsOf(field: GraphQLArgument | GraphQLInputField | undefined): Words {
  const type = field && getNamedType(field.type);
  return type && isInputObjectType(type) ? type.getFields() : {};
}

/** The same schema as REST spells it. */
function inRest(schema: Schema, words: Words): Schema {
  const { properties, required, dependentRequired, anyOf, items, ...rest } = schema;
  const [value, nothing] = anyOf ?? [];
  if (value && anyOf?.length === 2 && nothing?.type === 'null' && typeof value.type === 'string' && !value.enum) {
    return { ...inRest(value, words), ...rest, type: [value.type, 'null'] };
  }
  const siblings = Object.keys(words);
  const spelt = Object.entries(properties ?? {}).map(([key, property]) => {
    const word = words[key];
    return [toSnake(key), { ...(word && describe(word, siblings)), ...inRest(property, fieldsOf(word)) }] as const;
  });
  const dependent = Object.entries(dependentRequired ?? {});
  return {
    ...rest,
    ...(anyOf && { anyOf: anyOf.map((option) => inRest(option, words)) }),
    ...(properties && { properties: Object.fromEntries(spelt) }),
    // A list is described by the words of its items.
    ...(items && { items: inRest(items, words) }),
    ...(required && { required: required.map(toSnake) }),
    ...(dependentRequired && {
      dependentRequired: Object.fromEntries(dependent.map(([key, keys]) => [toSnake(key), keys.map(toSnake)])),
    }),
  };
}

function schemaOf(rules: z.ZodType, words: Words): Schema {
  const { $schema, ...schema } = z.toJSONSchema(rules, { io: 'input' });
  return inRest(schema as Schema, words);
}

/** What the path and the query may hold. */
export function parametersOf(schema: GraphQLSchema, route: Route): Parameter[] {
  const words = wordsFor(schema, route);
  const list = (place: 'path' | 'query', { properties = {}, required = [] }: Schema) =>
    Object.entries(properties).map(([name, { description, ...value }]) => ({
      name,
      in: place,
      ...(required.includes(name) && { required: true }),
      ...(description && { description }),
      schema: value,
    }));
  return [...list('path', schemaOf(pathRules(route), words)), ...list('query', schemaOf(queryRules(route), words))];
}

/** What the body may hold; undefined where it has to be empty. */
export function requestBodyOf(schema: GraphQLSchema, route: Route): Operation['requestBody'] {
  if (!route.body) return undefined;
  return {
    required: !route.body.safeParse(undefined).success,
    content: {
      ...json(schemaOf(route.body, wordsFor(schema, route))),
      ...(route.takes && { [route.takes]: { schema: { type: 'string' } } }),
    },
  };
}
