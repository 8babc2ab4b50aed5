/** Counts what is asked over GraphQL, and what root fields take on both surfaces. */
import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import type { Context } from '../context.ts';
import { type Metrics, OTHER, type Outcome } from '../telemetry/metrics.ts';
import { traced, tracing } from '../telemetry/tracing.ts';
import { digestOf } from './document-digest.ts';
import type { KnownDocuments } from './trusted-documents.ts';

/** Codes of errors that are ours. */
const OURS = new Set<unknown>(['INTERNAL_ERROR', 'UNAVAILABLE']);

const outcomeOf = (errors: readonly GraphQLFormattedError[] | undefined): Outcome => {
  if (!errors?.length) return 'ok';
  return errors.some(({ extensions }) => OURS.has(extensions?.code)) ? 'failed' : 'refused';
};

export class OperationMeter {
  readonly #schema: GraphQLSchema;
  readonly #metrics: Metrics;
  readonly #known: KnownDocuments;
  readonly #names: ReadonlySet<string>;
  readonly #found = new WeakMap<DocumentNode, string>();

  constructor(schema: GraphQLSchema, metrics: Metrics, known: KnownDocuments) {
    this.#schema = schema;
    this.#metrics = metrics;
    this.#known = known;
    this.#names = new Set(known.values());
  }

  /**
   * The operation's name where its document is one that the gateway knows, else `other`: a name alone is what anybody may call
   * anything.
   */
  nameOf(document: DocumentNode, operation: OperationDefinitionNode | null | undefined): string {
    const name = operation?.name?.value;
    if (name === undefined || !this.#names.has(name)) return OTHER;
    let known = this.#found.get(document);
    if (known === undefined) {
      known = this.#known.get(digestOf(document)) ?? OTHER;
      this.#found.set(document, known);
    }
    return known;
  }

  /** @param began by `performance.now()`. @param errors as they are answered. */
  ended(
    document: DocumentNode | undefined,
    operation: OperationDefinitionNode | null | undefined,
    errors: readonly GraphQLFormattedError[] | undefined,
    began: number,
  ): void {
    const name = document ? this.nameOf(document, operation) : OTHER;
    tracing?.annotate({ 'graphql.operation.name': name, 'graphql.operation.type': operation?.operation });
    this.#metrics.operation(name, operation?.operation ?? 'none', outcomeOf(errors), performance.now() - began);
  }

  /** @returns what is to be called when the subscription has ended. */
  subscribed(document: DocumentNode, operationName: string | null | undefined): () => void {
    const root = getOperationAST(document, operationName)?.selectionSet.selections.find(({ kind }) => kind === 'Field');
    const field = root?.kind === 'Field' ? root.name.value : OTHER;
    const known = this.#schema.getSubscriptionType()?.getFields()[field];
    return this.#metrics.subscription(known ? field : OTHER);
  }

  /** Those over HTTP. */
  plugin(): ApolloServerPlugin<Context> {
    return {
      requestDidStart: async () => {
        const began = performance.now();
        return {
          willSendResponse: async ({ document, operation, response: { body } }) =>
            this.ended(document, operation, body.kind === 'single' ? body.singleResult.errors : undefined, began),
        };
      },
    };
  }
}

/** Both surfaces run the schema's resolvers: of REST and GraphQL alike it is seen which field takes how long. */
export function measureResolvers(schema: GraphQLSchema, metrics: Metrics): void {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      if (field.resolve) field.resolve = measured(field.resolve, metrics, `${type!.name}.${field.name}`);
    }
  }
}

const noFacts = () => ({});

type Resolve = GraphQLFieldResolver<unknown, Context>;

function measured(resolve: Resolve, metrics: Metrics, name: string): Resolve {
  const durations = metrics.resolver(name);
  return (root, args, context, info) => {
    const began = performance.now();
    const end = () => durations.observe(performance.now() - began);
    // Root fields have asynchronous resolvers: authorization is.
    const result = traced(name, noFacts, () => resolve(root, args, context, info) as Promise<unknown>);
    result.then(end, end);
    return result;
  };
}
