/** Lets Apollo answer queries by compiled functions instead of walking the document. */
import { type ApolloServerPlugin, type GraphQLResponse, HeaderMap } from '@apollo/server';
import {
  type DocumentNode,
  type ExecutionResult,
  type FormattedExecutionResult,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  locatedError,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Context, Trail } from '../context.ts';
import { graphqlSpelling } from './answer-builder.ts';
import { refuseTooCostly } from './cost.ts';
import { PlainQuery } from './plain-query.ts';

/** @returns undefined where Apollo has to answer. */
type Run = (ctx: Context, variables: Record<string, unknown>) => Promise<ExecutionResult | undefined>;

/** Compiled operations; one is some fifty kilobytes. */
const REMEMBERED = 300;
/** Characters; so that texts that are remembered stay small. */
const LONGEST_REMEMBERED = 20_000;

/** Of a text that holds one operation, and has been judged. */
interface Judged {
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

export interface KnownQuery extends Judged {
  run: Run;
}

/** A query as it comes over HTTP. */
export interface AskedQuery {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

/**
 * A page of a hundred tenants costs a third of the CPU. Compiling takes as long as validating, so an operation is compiled when
 * it is asked for the second time: texts with values written into them never are. Apollo keeps its parsed documents, so that
 * the same text is the same document.
 *
 * Mutations, and descriptions of the schema, are Apollo's to execute; so is whatever goes wrong otherwise than in a resolver,
 * such as a variable that does not fit: its errors are those that it always was answered with.
 */
export class CompiledQueries {
  readonly #schema: GraphQLSchema;
  readonly #present: (error: GraphQLError) => GraphQLFormattedError;
  readonly #asked = new WeakSet<OperationDefinitionNode>();
  readonly #compiled = new LRUCache<OperationDefinitionNode, { run?: Run }>({ max: REMEMBERED });
  /** What is compiled is held above alone. */
  readonly #byText = new LRUCache<string, Judged>({ max: REMEMBERED });
  /** Of requests that go on to Apollo, as what is compiled did not answer them: it would ask all resolvers again in vain. */
  readonly #unanswered = new WeakSet<Trail>();

  /** @param present how clients see an error of a resolver; Apollo does not look at those of an answer that it did not make. */
  constructor(schema: GraphQLSchema, present: (error: GraphQLError) => GraphQLFormattedError) {
    this.#schema = schema;
    this.#present = present;
  }

  /** For those that Apollo judges. */
  plugin(): ApolloServerPlugin<Context> {
    const listener = {
      responseForOperation: async ({ document, operation, request, contextValue }): Promise<GraphQLResponse | null> => {
        const run = this.#runOf(document, operation);
        if (!run || this.#unanswered.has(contextValue.trail)) return null;
        const result = await this.#result(run, contextValue, request.variables);
        if (!result) return null;
        if (isAlone(document) && request.query!.length <= LONGEST_REMEMBERED)
          this.#byText.set(request.query!, { document, operation });
        return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult: result } };
      },
    } satisfies Awaited<ReturnType<NonNullable<ApolloServerPlugin<Context>['requestDidStart']>>>;
    return { requestDidStart: async () => listener };
  }

  /**
   * Finds a text that has been judged and compiled by itself: Apollo would look it up by its SHA-256, which is, with its hooks and its own
   * requests and answers, 6 % of a page of a hundred tenants.
   */
  find({ query, operationName }: AskedQuery): KnownQuery | undefined {
    const judged = this.#byText.get(query);
    if (!judged || (operationName != null && operationName !== judged.operation.name?.value)) return undefined;
    const run = this.#compiled.get(judged.operation)?.run;
    return run && { ...judged, run };
  }

  /**
   * @throws {GraphQLError} for what costs too much.
   * @returns undefined where Apollo has to answer.
   */
  async answer(
    { document, operation, run }: KnownQuery,
    ctx: Context,
    variables: AskedQuery['variables'],
  ): Promise<FormattedExecutionResult | undefined> {
    let result: FormattedExecutionResult | undefined;
    try {
      refuseTooCostly(this.#schema, document, operation, variables ?? {});
      result = await this.#result(run, ctx, variables);
      return result;
    } finally {
      if (!result) this.#unanswered.add(ctx.trail);
    }
  }

  async #result(
    run: Run,
    ctx: Context,
    variables: Record<string, unknown> | null | undefined,
  ): Promise<FormattedExecutionResult | undefined> {
    const result = await run(ctx, variables ?? {});
    if (!result) return undefined;
    const { data, errors } = result;
    return errors ? { errors: errors.map(this.#present), data } : { data };
  }

  // Apollo's types say otherwise, but there is none where a name is asked for that the document does not hold.
  #runOf(document: DocumentNode, operation: OperationDefinitionNode | undefined): Run | undefined {
    if (!operation) return undefined;
    let known = this.#compiled.get(operation);
    if (!known && this.#asked.has(operation)) {
      known = this.#compile(document, operation);
      this.#compiled.set(operation, known);
    }
    this.#asked.add(operation);
    return known?.run;
  }

  #compile(document: DocumentNode, operation: OperationDefinitionNode): { run?: Run } {
    if (operation.operation !== 'query' || describesSchema(operation)) return {};
    const plain = PlainQuery.of(this.#schema, document, operation, graphqlSpelling);
    let executed: { run?: Run } | undefined;
    const run: Run = async (ctx, variables) => {
      const answered = plain && (await answerPlainly(plain, ctx, variables));
      if (answered) return answered;
      executed ??= { run: byJit(this.#schema, document, operation) };
      return executed.run?.(ctx, variables);
    };
    return { run };
  }
}

/** Whether a document holds one operation. */
const isAlone = ({ definitions }: DocumentNode): boolean =>
  definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length === 1;

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
