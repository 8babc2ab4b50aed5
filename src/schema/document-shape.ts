/** What a document asks for and gets, worked out from the schema: the one walk behind written answers, and REST's description. */
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
  TypeNameMetaFieldDef,
  type ValueNode,
} from 'graphql';

export type Shape = ListShape | ObjectShape | LeafShape;

export interface ListShape {
  kind: 'list';
  item: Shape;
  /** Whether an item can be without a value. */
  optional: boolean;
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
  field: GraphQLField<unknown, unknown>;
  /** Where the document asks for it. */
  nodes: FieldNode[];
  /** Whether it can be without a value. */
  optional: boolean;
  shape: Shape;
}

/** The document's only operation. */
export function operationOf(document: DocumentNode): OperationDefinitionNode {
  return document.definitions.find(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
}

/** The operation's single root field. @throws where it has several, or no fixed shape. */
export function rootOf(schema: GraphQLSchema, document: DocumentNode, operation = operationOf(document)): Member {
  const [root, ...others] = membersOf(document, schema.getRootType(operation.operation)!, [operation.selectionSet]);
  if (!root || others.length > 0) throw new Error('an answer is of one root field');
  return root;
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
    if (selection.directives?.length) throw new Error('what a directive leaves out has no fixed shape');
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(document, selection.selectionSet);
    const fragment = document.definitions.find(
      (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? fieldsOf(document, fragment.selectionSet) : [];
  });
}

function membersOf(document: DocumentNode, type: GraphQLObjectType, sets: SelectionSetNode[]): Member[] {
  const byKey = Map.groupBy(
    sets.flatMap((set) => fieldsOf(document, set)),
    ({ name, alias }) => (alias ?? name).value,
  );
  return [...byKey].map(([key, nodes]) => {
    const { value: name } = nodes[0]!.name;
    const field = name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : type.getFields()[name]!;
    const beneath = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const shape = shapeOf(document, field.type, beneath);
    return { key, field, nodes, optional: !isNonNullType(field.type), shape };
  });
}

function shapeOf(document: DocumentNode, type: GraphQLOutputType, sets: SelectionSetNode[]): Shape {
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const { ofType } = nullable;
    return { kind: 'list', item: shapeOf(document, ofType, sets), optional: !isNonNullType(ofType) };
  }
  if (isLeafType(nullable)) return { kind: 'leaf', type: nullable };
  if (!isObjectType(nullable)) throw new Error(`${nullable} is of several shapes`);
  const [first, ...others] = sets.flatMap(({ selections }) => selections);
  return {
    kind: 'object',
    type: nullable,
    fragment: first?.kind === Kind.FRAGMENT_SPREAD && others.length === 0 ? first.name.value : undefined,
    members: membersOf(document, nullable, sets),
  };
}
