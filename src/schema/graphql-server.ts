/** Apollo Server over the one schema, with errors brought to the table and masked. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { Context } from '../context.ts';
import { AppError, type ErrorCode, toAppError } from '../errors.ts';
import { depthLimit } from './depth-limit.ts';

/** Of a document; the largest of our own has about 300. */
export const MOST_TOKENS = 4000;

/** Knows the request of an error that is found before there is a context. */
export const graphqlRequest = new AsyncLocalStorage<{ id: string }>();

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
export function presentError(error: unknown, formatted: GraphQLFormattedError, log: Logger): GraphQLFormattedError {
  const apolloCode = String(formatted.extensions?.code ?? '');
  const cause = original(error);
  const mistake = CLIENT_MISTAKES.has(apolloCode) || isAboutDocument(cause);
  const known = mistake ? new AppError('validation_failed', { message: formatted.message }) : toAppError(cause);
  const requestId = graphqlRequest.getStore()?.id;
  if (known.code === 'internal_error') log.error({ err: known.cause, requestId }, 'a resolver failed');
  return {
    message: known.message,
    locations: formatted.locations,
    path: formatted.path,
    extensions: {
      code: upper(known.code),
      requestId,
      ...(known.details && { details: known.details }),
      ...(known.retryAfter && { retryAfter: known.retryAfter }),
    },
  };
}

const upper = (code: ErrorCode) => code.toUpperCase();
const original = (error: unknown) => (error instanceof GraphQLError ? (error.originalError ?? error) : error);
/** What graphql-js finds wrong with the request while it runs, such as a null variable for an argument that has a default. */
const isAboutDocument = (cause: unknown) => cause instanceof GraphQLError && cause.nodes !== undefined;

/** Logs which operation ran, never its variables. */
const logging: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ contextValue, operationName }) {
        contextValue.services.log.debug({ requestId: contextValue.requestId, operation: operationName }, 'graphql');
      },
    };
  },
};

export async function startGraphqlServer(
  schema: GraphQLSchema,
  log: Logger,
  { introspection, production }: { introspection: boolean; production: boolean },
): Promise<ApolloServer<Context>> {
  const server = new ApolloServer<Context>({
    schema,
    introspection,
    includeStacktraceInErrorResponses: false,
    // Apollo's own are a cache that any caller can fill.
    persistedQueries: false,
    stopOnTerminationSignals: false,
    hideSchemaDetailsFromClientErrors: production,
    parseOptions: { maxTokens: MOST_TOKENS },
    validationRules: [depthLimit],
    formatError: (formatted, error) => presentError(error, formatted, log),
    plugins: [ApolloServerPluginCacheControlDisabled(), ApolloServerPluginLandingPageDisabled(), logging],
    logger: { debug() {}, info() {}, warn: (message) => log.warn(message), error: (message) => log.error(message) },
  });
  await server.start();
  return server;
}
