/**
 * Turns what a document's execution gives into a REST body: names in snake_case, enum values in lower case, fields
 * without a value left out. Worked out once per document from the schema's types, so that a request only copies.
 */
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { toSnake } from './names.ts';

type Convert = (value: unknown) => unknown;

/** The document's only operation. */
export function operationOf(document: DocumentNode): OperationDefinitionNode {
  return document.definitions.find(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
}

/** The operation's root fields, fragments resolved. */
export function fieldsOf(document: DocumentNode, set: SelectionSetNode): FieldNode[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(document, selection.selectionSet);
    const fragment = document.definitions.find(
      (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? fieldsOf(document, fragment.selectionSet) : [];
  });
}

function converter(
  schema: GraphQLSchema,
  document: DocumentNode,
  type: GraphQLOutputType,
  set?: SelectionSetNode,
): Convert {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const item = converter(schema, document, nullable.ofType, set);
    return (value) => (value as unknown[]).map((one) => (one === null ? null : item(one)));
  }
  const named = getNamedType(type);
  if (isEnumType(named)) return (value) => String(value).toLowerCase();
  if (!isObjectType(named) || !set) return (value) => value;
  const fields = named.getFields();
  const members = fieldsOf(document, set).map((node) => {
    const key = node.alias?.value ?? node.name.value;
    return {
      key,
      name: toSnake(key),
      convert: converter(schema, document, fields[node.name.value]!.type, node.selectionSet),
    };
  });
  return (value) => {
    const source = value as Record<string, unknown>;
    const body: Record<string, unknown> = {};
    for (const { key, name, convert } of members) {
      const member = source[key];
      if (member !== null && member !== undefined) body[name] = convert(member);
    }
    return body;
  };
}

/** For the document's single root field. */
export function answerShape(schema: GraphQLSchema, document: DocumentNode): (data: Record<string, unknown>) => unknown {
  const operation = operationOf(document);
  const [root] = fieldsOf(document, operation.selectionSet);
  const rootType = schema.getRootType(operation.operation)!;
  const convert = converter(schema, document, rootType.getFields()[root!.name.value]!.type, root!.selectionSet);
  return (data) => convert(data[root!.alias?.value ?? root!.name.value]);
}
