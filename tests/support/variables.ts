/** Variables that an operation takes, each as large as may be. */
import {
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { MAX_PAGE } from '../../src/schema/paging.ts';

const SCALARS: Record<string, unknown> = {
  Int: MAX_PAGE,
  Float: 1,
  Boolean: true,
  String: 'x',
  UUID: '00000000-0000-7000-8000-000000000000',
  DateTime: '2030-01-01T00:00:00Z',
  Date: '2030-01-01',
  Sequence: 0,
};

export const largestVariables = (schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode) =>
  Object.fromEntries(
    variableDefinitions.map(({ variable, type }) => [
      variable.name.value,
      someValue(typeFromAST(schema, type as never) as GraphQLInputType),
    ]),
  );

function someValue(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return someValue(type.ofType);
  if (isListType(type)) return [];
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(required.map((field) => [field.name, someValue(field.type)]));
  }
  if (!(type.name in SCALARS)) throw new Error(`say what a ${type.name} looks like`);
  return SCALARS[type.name];
}
