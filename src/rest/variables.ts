/** Puts a request's checked parts into the variables that a document declares. */
import {
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  typeFromAST,
} from 'graphql';
import { operationOf } from '../schema/document-shape.ts';

/** Path, query and body of a request after their checks, in GraphQL's spelling. */
export interface RequestParts {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
}

/** Rules speak an enum's values; variables its names. */
function named(type: GraphQLInputType, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => named(type, item));
  const inner = getNamedType(type);
  if (isEnumType(inner)) return inner.getValues().find((candidate) => candidate.value === value)?.name ?? value;
  if (!isInputObjectType(inner) || value === null || typeof value !== 'object') return value;
  const fields = inner.getFields();
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, fields[key] ? named(fields[key].type, member) : member]),
  );
}

/** The variable `input` is the body; any other is found by its name in the path, the query or the body. */
export function variablesFor(
  schema: GraphQLSchema,
  document: DocumentNode,
): (parts: RequestParts) => Record<string, unknown> {
  const declared = (operationOf(document).variableDefinitions ?? []).map(({ variable, type }) => ({
    name: variable.name.value,
    type: typeFromAST(schema, type as never) as unknown as GraphQLInputType,
  }));
  return ({ path, query, body }) => {
    const variables: Record<string, unknown> = {};
    for (const { name, type } of declared) {
      const value = name === 'input' ? body : (path[name] ?? query[name] ?? body[name]);
      if (value !== undefined) variables[name] = named(type, value);
    }
    return variables;
  };
}
