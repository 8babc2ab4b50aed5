/** Holds the data of a GraphQL answer to the types of what was asked for. */
import {
  type DocumentNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

const SCALARS: Record<string, (value: unknown) => boolean> = {
  String: (value) => typeof value === 'string',
  Int: (value) => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  Float: (value) => Number.isFinite(value),
  Boolean: (value) => typeof value === 'boolean',
  UUID: (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(value)),
  DateTime: (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value)),
  Date: (value) => /^\d{4}-\d\d-\d\d$/.test(String(value)),
  Sequence: (value) => Number.isSafeInteger(value),
  JSON: () => true,
};

/** @param document without fragments, as graphql-requests.ts makes it. */
export function dataProblems(schema: GraphQLSchema, document: DocumentNode, data: unknown): string[] {
  const operation = document.definitions[0] as OperationDefinitionNode;
  return [...wrongIn(schema.getRootType(operation.operation)!, operation.selectionSet, data, operation.operation)];
}

function* wrongIn(
  type: GraphQLOutputType,
  selection: SelectionSetNode | undefined,
  value: unknown,
  at: string,
): Generator<string> {
  if (isNonNullType(type)) {
    if (value === null || value === undefined) yield `${at} is ${value}, not ${type}`;
    else yield* wrongIn(type.ofType, selection, value, at);
  } else if (value === null) {
    return;
  } else if (isListType(type)) {
    if (!Array.isArray(value)) yield `${at} is no list`;
    else for (const [index, item] of value.entries()) yield* wrongIn(type.ofType, selection, item, `${at}[${index}]`);
  } else if (isEnumType(type)) {
    if (!type.getValues().some(({ name }) => name === value)) yield `${at} is ${JSON.stringify(value)}, not ${type}`;
  } else if (isLeafType(type)) {
    if (!SCALARS[type.name]?.(value)) yield `${at} is ${JSON.stringify(value)}, not ${type}`;
  } else if (isObjectType(type)) {
    for (const field of selection?.selections ?? []) {
      if (field.kind !== Kind.FIELD || field.name.value === '__typename') continue;
      const { name } = field;
      const found = (value as Record<string, unknown>)[name.value];
      yield* wrongIn(type.getFields()[name.value]!.type, field.selectionSet, found, `${at}.${name.value}`);
    }
  }
}
