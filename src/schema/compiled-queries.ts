/** Lets Apollo answer queries by compiled functions instead of walking the document. */
import { type ApolloServerPlugin, type GraphQLResponse, HeaderMap } from '@apollo/server';
import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getVariableValues,
  locatedError,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Context } from '../context.ts';
import { graphqlSpelling } from './answer-builder.ts';
import { PlainQuery } from './plain-query.ts';

/** @returns undefined where Apollo has to answer. */
type Run = (ctx: Context, variables: Record<string, unknown>) => Promise<ExecutionResult | undefined>;

/** Compiled operations; one is some fifty kilobytes. */
const REMEMBERED = 300;

/**
 * A page of a hundred tenants costs a third of the CPU. Compiling takes as long as validating, so an operation is compiled when
 * it is asked for the second time: texts with values written into them never are. Apollo keeps its parsed documents, so that
 * the same text is the same document.
 *
 * Mutations, and descriptions of the schema, are Apollo's to execute; so is whatever goes wrong otherwise than in a resolver,
 * such as a variable that does not fit: its errors are those that it always was answered with.
 *
 * @param present how clients see an error of a resolver; Apollo does not look at those of an answer that it did not make.
 */
export function compiledQueries(
  schema: GraphQLSchema,
  present: (error: GraphQLError) => GraphQLFormattedError,
): ApolloServerPlugin<Context> {
  const asked = new WeakSet<OperationDefinitionNode>();
  const compiled = new LRUCache<OperationDefinitionNode, { run?: Run }>({ max: REMEMBERED });

  const compile = (document: DocumentNode, operation: OperationDefinitionNode): { run?: Run } => {
    if (operation.operation !== 'query' || describesSchema(operation)) return {};
    const plain = PlainQuery.of(schema, document, operation, graphqlSpelling);
    let executed: { run?: Run } | undefined;
    const run: Run = async (ctx, variables) => {
      const answered = plain && (await answerPlainly(plain, ctx, variables));
      if (answered) return answered;
      executed ??= { run: byJit(schema, document, operation) };
      return executed.run?.(ctx, variables);
    };
    return { run };
  };

  // Apollo's types say otherwise, but there is none where a name is asked for that the document does not hold.
  const runOf = (document: DocumentNode, operation: OperationDefinitionNode | undefined): Run | undefined => {
    if (!operation) return undefined;
    let known = compiled.get(operation);
    if (!known && asked.has(operation)) {
      known = compile(document, operation);
      compiled.set(operation, known);
    }
    asked.add(operation);
    return known?.run;
  };

  const listener = {
    async responseForOperation({ document, operation, request, contextValue }): Promise<GraphQLResponse | null> {
      const result = await runOf(document, operation)?.(contextValue, request.variables ?? {});
      if (!result) return null;
      const { data, errors } = result;
      const singleResult = { data, ...(errors && { errors: errors.map(present) }) };
      return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult } };
    },
  } satisfies Awaited<ReturnType<NonNullable<ApolloServerPlugin<Context>['requestDidStart']>>>;

  return { requestDidStart: async () => listener };
}

async function answerPlainly(
  plain: PlainQuery,
  ctx: Context,
  variables: Record<string, unknown>,
): Promise<ExecutionResult | undefined> {
  const { key, nodes, optional } = plain.root;
  try {
    const answered = await plain.answer(ctx, variables);
    return answered && { data: { [key]: answered.value } };
  } catch (error) {
    return { data: optional ? { [key]: null } : null, errors: [locatedError(error, nodes, [key])] };
  }
}

/** Executes a document that asks several resolvers. */
function byJit(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Run | undefined {
  const query = compileQuery(schema, document, operation.name?.value);
  if (!isCompiledQuery(query)) return undefined;
  return async (ctx, variables) => {
    // graphql-jit lets a list pass for an object.
    if (getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors) return undefined;
    const { data, errors } = await query.query(undefined, ctx, variables);
    const ofResolvers = data !== undefined && errors?.every(({ originalError }) => originalError);
    return errors && !ofResolvers ? undefined : { data, errors };
  };
}

const describesSchema = ({ selectionSet }: OperationDefinitionNode): boolean =>
  selectionSet.selections.some(
    (selection) => selection.kind === 'Field' && /^__(schema|type)$/.test(selection.name.value),
  );
