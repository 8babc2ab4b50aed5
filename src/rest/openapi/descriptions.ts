/** Descriptions are written once, in the GraphQL schema, in its spelling of names. */
import { type GraphQLInputType, type GraphQLOutputType, getNamedType, isEnumType } from 'graphql';
import { toSnake } from '../names.ts';

interface Described {
  description?: string | null;
  type: GraphQLInputType | GraphQLOutputType;
}

/** @param siblings names of fields that the description may speak of, in GraphQL's spelling. */
export function describe({ description, type }: Described, siblings: string[]): { description?: string } {
  if (!description) return {};
  const named = getNamedType(type);
  const enumValues = isEnumType(named) ? named.getValues().map(({ name }) => [name, name.toLowerCase()] as const) : [];
  const names = new Map([...siblings.map((name) => [name, toSnake(name)] as const), ...enumValues]);
  return { description: description.replace(/\w+/g, (word) => names.get(word) ?? word) };
}
