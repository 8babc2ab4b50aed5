/** Apollo Server over the one schema, with errors brought to the table and masked. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { type FormattedExecutionResult, GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Context, Services, Trail } from '../context.ts';
import { AppError, type ErrorCode, toAppError } from '../errors.ts';
import { type AskedQuery, CompiledQueries } from './compiled-queries.ts';
import { refuseTooCostly } from './cost.ts';
import { type DocumentPolicy, documentRules, MOST_TOKENS } from './limits.ts';
import type { OperationMeter } from './measured-operations.ts';
import { withoutValues } from './without-values.ts';

/** Knows the request of an error that is found before there is a context. */
export const graphqlRequest = new AsyncLocalStorage<Trail>();

/** What Apollo itself finds wrong with a request, before or while it looks at the document. */
const CLIENT_MISTAKES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** An error as GraphQL clients see it: the table's code in upper snake case, the request's id, no more than is theirs. */
export function presentError(
  error: unknown,
  formatted: GraphQLFormattedError,
  { log, metrics }: Pick<Services, 'log' | 'metrics'>,
  { introspection }: DocumentPolicy,
): GraphQLFormattedError {
  const apolloCode = String(formatted.extensions?.code ?? '');
  const cause = original(error);
  const mistake = CLIENT_MISTAKES.has(apolloCode) || isAboutDocument(error) || isAboutDocument(cause);
  const message = mistake ? withoutValues(error, formatted.message) : undefined;
  const known = message ? new AppError('validation_failed', { message }) : toAppError(cause);
  const trail = graphqlRequest.getStore();
  metrics.error(known.code);
  if (known.code === 'internal_error') log.error({ err: known.cause, ...trail }, 'a resolver failed');
  return {
    // Suggestions spell out a schema that may not be asked for.
    message: mistake && !introspection ? known.message.replace(/ ?Did you mean .+\?$/s, '') : known.message,
    locations: formatted.locations,
    path: formatted.path,
    extensions: {
      code: upper(known.code),
      requestId: trail?.requestId,
      ...(known.details && { details: known.details }),
      ...(known.retryAfter && { retryAfter: known.retryAfter }),
    },
  };
}

const upper = (code: ErrorCode) => code.toUpperCase();
const original = (error: unknown) => (error instanceof GraphQLError ? (error.originalError ?? error) : error);
/** What graphql-js finds wrong with the request while it runs, such as a null variable for an argument that has a default. */
const isAboutDocument = (cause: unknown) =>
  cause instanceof GraphQLError && cause.nodes !== undefined && cause.path === undefined;

export interface GraphqlServer {
  readonly apollo: ApolloServer<Context>;
  /** @returns undefined where Apollo has to answer. */
  known(asked: AskedQuery, context: () => Promise<Context>): Promise<FormattedExecutionResult | undefined>;
}

/** Never its variables. */
const logOperation = ({ services, requestId }: Context, operation: string | null) =>
  services.log.debug({ requestId, operation }, 'graphql');

/** Logs which operation ran. */
const logging: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ contextValue, operationName }) {
        logOperation(contextValue, operationName);
      },
    };
  },
};

/** What is thrown here would be answered 500 unless it says otherwise. */
const costs: ApolloServerPlugin<Context> = {
  async requestDidStart({ schema }) {
    return {
      async didResolveOperation({ document, operation, request }) {
        try {
          // Without one there is another error to come.
          if (operation) refuseTooCostly(schema, document, operation, request.variables);
        } catch (error) {
          if (!(error instanceof GraphQLError)) throw error;
          const extensions = { code: 'BAD_USER_INPUT', http: { status: 400 } };
          throw new GraphQLError(error.message, { nodes: error.nodes, extensions, originalError: error });
        }
      },
    };
  },
};

export async function startGraphqlServer(
  schema: GraphQLSchema,
  services: Pick<Services, 'log' | 'metrics'>,
  policy: DocumentPolicy,
  meter: OperationMeter,
): Promise<GraphqlServer> {
  const { log } = services;
  const compiled = new CompiledQueries(schema, (error) => presentError(error, error.toJSON(), services, policy));
  const server = new ApolloServer<Context>({
    schema,
    // The rules say whether; Apollo's own would be another one for HTTP alone.
    introspection: true,
    includeStacktraceInErrorResponses: false,
    // Apollo's own are a cache that any caller can fill.
    persistedQueries: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: MOST_TOKENS },
    validationRules: documentRules(policy),
    formatError: (formatted, error) => presentError(error, formatted, services, policy),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      logging,
      meter.plugin(),
      costs,
      compiled.plugin(),
    ],
    logger: { debug() {}, info() {}, warn: (message) => log.warn(message), error: (message) => log.error(message) },
  });
  await server.start();
  return { apollo: server, known: (asked, context) => answerKnown(compiled, meter, asked, context) };
}

/** As Apollo and its plugins would. */
async function answerKnown(
  compiled: CompiledQueries,
  meter: OperationMeter,
  asked: AskedQuery,
  context: () => Promise<Context>,
): Promise<FormattedExecutionResult | undefined> {
  const began = performance.now();
  const known = compiled.find(asked);
  if (!known) return undefined;
  let ctx: Context | undefined;
  try {
    ctx = await context();
    const result = await compiled.answer(known, ctx, asked.variables);
    if (!result) return undefined;
    const { document, operation } = known;
    logOperation(ctx, operation.name?.value ?? null);
    meter.ended(document, operation, result.errors, began);
    return result;
  } catch (err) {
    // Apollo meets it again and says what it is, but for a mistake in this way itself.
    if (ctx && !(err instanceof GraphQLError))
      ctx.services.log.warn({ requestId: ctx.requestId, err }, 'a compiled query failed, and is executed by Apollo');
    return undefined;
  }
}
