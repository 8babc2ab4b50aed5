/** Asks a document's single root field what executing the document would ask it. */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import type { Context } from '../context.ts';
import { type Member, operationOf, rootOf } from './document-shape.ts';

/** @throws what the resolver throws. */
export type Ask = (ctx: Context) => Promise<unknown>;

export class RootField {
  readonly member: Member;
  readonly #schema: GraphQLSchema;
  readonly #info: Omit<GraphQLResolveInfo, 'variableValues'>;

  /** @throws where the operation has several root fields, or no fixed shape. */
  constructor(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode = operationOf(document),
  ) {
    this.#schema = schema;
    this.member = rootOf(schema, document, operation);
    const { key, field, nodes } = this.member;
    const parentType = schema.getRootType(operation.operation)!;
    this.#info = {
      fieldName: field.name,
      fieldNodes: nodes,
      returnType: field.type,
      parentType,
      path: { prev: undefined, key, typename: parentType.name },
      schema,
      fragments: Object.fromEntries(document.definitions.filter(isFragment).map((one) => [one.name.value, one])),
      rootValue: undefined,
      operation,
    };
  }

  /**
   * @param variables as they came.
   * @returns what asks its resolver; undefined where they do not fit: executing the document says why.
   */
  asking(variables: Record<string, unknown>): Ask | undefined {
    const info = this.#info;
    const { coerced } = getVariableValues(this.#schema, info.operation.variableDefinitions ?? [], variables);
    const args = coerced && this.#args(coerced);
    const { resolve } = this.member.field;
    return args && ((ctx) => resolve!(undefined, args, ctx, { ...info, variableValues: coerced }) as Promise<unknown>);
  }

  #args(variables: Record<string, unknown>): Record<string, unknown> | undefined {
    const { field, nodes } = this.member;
    try {
      return getArgumentValues(field, nodes[0]!, variables);
    } catch {
      return undefined;
    }
  }
}

const isFragment = (definition: { kind: Kind }): definition is FragmentDefinitionNode =>
  definition.kind === Kind.FRAGMENT_DEFINITION;
