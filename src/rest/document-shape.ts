/** What a document asks for and gets, worked out from the schema: the one walk behind REST's answers and their description. */
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { toSnake } from './names.ts';

export type Shape = ListShape | ObjectShape | LeafShape;

interface ListShape {
  kind: 'list';
  item: Shape;
}

export interface ObjectShape {
  kind: 'object';
  type: GraphQLObjectType;
  /** Set where the selection is one spread of this fragment and nothing else. */
  fragment?: string;
  members: Member[];
}

interface LeafShape {
  kind: 'leaf';
  type: GraphQLLeafType;
}

export interface Member {
  /** In the result: the field's alias or name. */
  key: string;
  /** In REST. */
  name: string;
  field: GraphQLField<unknown, unknown>;
  /** Whether it can be without a value, and so be absent from a REST body. */
  optional: boolean;
  shape: Shape;
}

/** The document's only operation. */
export function operationOf(document: DocumentNode): OperationDefinitionNode {
  return document.definitions.find(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
}

/** The document's single root field. */
export function rootOf(schema: GraphQLSchema, document: DocumentNode): Member {
  const operation = operationOf(document);
  return membersOf(document, schema.getRootType(operation.operation)!, operation.selectionSet)[0]!;
}

type Input = GraphQLArgument | GraphQLInputField;

/** What each variable of the document becomes: an argument, or a field of one. */
export function argumentsOf(schema: GraphQLSchema, document: DocumentNode): Map<string, Input> {
  const { field } = rootOf(schema, document);
  const [node] = fieldsOf(document, operationOf(document).selectionSet);
  return new Map(
    (node!.arguments ?? []).flatMap(({ name, value }) => placesOf(value, inputOf(field.args, name.value))),
  );
}

const inputOf = <T extends Input>(inputs: readonly T[], wanted: string) => inputs.find(({ name }) => name === wanted)!;

function placesOf(value: ValueNode, input: Input): [variable: string, Input][] {
  if (value.kind === Kind.VARIABLE) return [[value.name.value, input]];
  const type = getNamedType(input.type);
  if (value.kind !== Kind.OBJECT || !isInputObjectType(type)) return [];
  const fields = Object.values(type.getFields());
  return value.fields.flatMap((field) => placesOf(field.value, inputOf(fields, field.name.value)));
}

/** The fields of a selection, fragments resolved. */
function fieldsOf(document: DocumentNode, set: SelectionSetNode): FieldNode[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(document, selection.selectionSet);
    const fragment = document.definitions.find(
      (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? fieldsOf(document, fragment.selectionSet) : [];
  });
}

function membersOf(document: DocumentNode, type: GraphQLObjectType, set: SelectionSetNode): Member[] {
  return fieldsOf(document, set).map((node) => {
    const key = node.alias?.value ?? node.name.value;
    const field = type.getFields()[node.name.value]!;
    return {
      key,
      name: toSnake(key),
      field,
      optional: !isNonNullType(field.type),
      shape: shapeOf(document, field.type, node.selectionSet),
    };
  });
}

function shapeOf(document: DocumentNode, type: GraphQLOutputType, set?: SelectionSetNode): Shape {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return { kind: 'list', item: shapeOf(document, nullable.ofType, set) };
  if (isLeafType(nullable)) return { kind: 'leaf', type: nullable };
  if (!isObjectType(nullable) || !set) throw new Error(`REST has no spelling for ${nullable}`);
  const [first, ...others] = set.selections;
  return {
    kind: 'object',
    type: nullable,
    fragment: first?.kind === Kind.FRAGMENT_SPREAD && others.length === 0 ? first.name.value : undefined,
    members: membersOf(document, nullable, set),
  };
}
