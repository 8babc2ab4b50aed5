/** Runs operations that come over a socket or an event stream. Over HTTP Apollo does. */
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Context, Services } from '../context.ts';
import type { Feed, Told } from '../live/feed.ts';
import { traced, tracing } from '../telemetry/tracing.ts';
import { refuseTooCostly } from './cost.ts';
import { graphqlRequest, presentError } from './graphql-server.ts';
import { type DocumentPolicy, documentRules, MOST_TOKENS } from './limits.ts';
import type { OperationMeter } from './measured-operations.ts';
import { valuesOf } from './values-of.ts';

/** What a client asks for. */
export interface OperationRequest {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

export type Operation = ExecutionArgs & { contextValue: Context };

interface Known {
  /** Stands for the text where that would be too long. */
  id: number;
  document: DocumentNode;
  /** Variables that the answer to an event may depend on. */
  variables: string[];
}

const REMEMBERED = 500;
/** Characters; so that what is remembered stays small. */
const LONGEST_REMEMBERED = 20_000;

export type Results = AsyncGenerator<ExecutionResult, undefined, undefined>;

/** Of a subscription. */
export interface Subscribed extends Results {
  /** Tells all of them, each once what `tell` returned for the one before has settled. Instead of asking for them. */
  each(tell: (result: ExecutionResult) => Promise<void> | undefined): Promise<void>;
}

export class OperationRunner {
  readonly #schema: GraphQLSchema;
  readonly #services: Pick<Services, 'log' | 'metrics'>;
  readonly #meter: OperationMeter;
  readonly #policy: DocumentPolicy;
  readonly #rules: typeof specifiedRules;
  readonly #known = new LRUCache<string, Known>({ max: REMEMBERED });
  #ids = 0;
  /** One execution of an event serves all who ask the same of it. */
  readonly #answers = new WeakMap<object, Map<string, Promise<ExecutionResult>>>();

  constructor(
    schema: GraphQLSchema,
    services: Pick<Services, 'log' | 'metrics'>,
    policy: DocumentPolicy,
    meter: OperationMeter,
  ) {
    this.#schema = schema;
    this.#services = services;
    this.#meter = meter;
    this.#policy = policy;
    this.#rules = [...specifiedRules, ...documentRules(policy)];
  }

  /** @returns what is wrong with the document, or what can be run. */
  prepare({ query, operationName, variables }: OperationRequest, contextValue: Context): Operation | GraphQLError[] {
    try {
      const { document } = this.#read(query);
      const asked = getOperationAST(document, operationName);
      if (!asked) throw new GraphQLError(notOne(operationName));
      refuseTooCostly(this.#schema, document, asked, variables ?? {});
      return { schema: this.#schema, document, operationName, variableValues: variables, contextValue };
    } catch (error) {
      if (Array.isArray(error)) return error.map(ofDocument);
      if (error instanceof GraphQLError) return [ofDocument(error)];
      throw error;
    }
  }

  /** A query or a mutation. */
  async execute(operation: Operation): Promise<ExecutionResult> {
    const began = performance.now();
    const { document, operationName } = operation;
    const result = await this.#traced(operation, () => this.#execute(operation));
    this.#meter.ended(document, getOperationAST(document, operationName), result.errors, began);
    return result;
  }

  /** Over a socket there is no request that it is part of. */
  #traced<T>({ document, operationName }: Operation, body: () => Promise<T>): Promise<T> {
    if (!tracing) return body();
    const asked = getOperationAST(document, operationName);
    const name = `${asked?.operation} ${this.#meter.nameOf(document, asked)}`;
    return traced(name, () => ({ parent: tracing?.context() }), body);
  }

  async #execute(operation: Operation): Promise<ExecutionResult> {
    return this.#present(operation, await execute(operation));
  }

  /** What is wrong with it, or a result for each event. */
  async subscribe(operation: Operation): Promise<Subscribed | ExecutionResult> {
    const events = await this.#traced(operation, () => createSourceEventStream(operation));
    if (!(Symbol.asyncIterator in events)) return this.#present(operation, events);
    // The `subscribe` of every field gives one.
    return this.#answering(operation, events as Feed<Told>);
  }

  /** Errors as clients see them. */
  presented(errors: readonly GraphQLError[], { trail }: Context) {
    return graphqlRequest.run(trail, () =>
      errors.map((error) => presentError(error, error.toJSON(), this.#services, this.#policy)),
    );
  }

  /** Its end is that of the events: a generator around them could not be ended while it waits for one. */
  #answering(operation: Operation, events: Feed<Told>): Subscribed {
    // Once: for each event it would cost more than handing it on.
    const key = this.#keyOf(operation);
    const ended = this.#meter.subscribed(operation.document, operation.operationName);
    const answered = async (next: Promise<IteratorResult<object, undefined>>) => {
      const { value, done } = await next;
      if (!done) return { value: this.#present(operation, await this.#answer(operation, key, value)), done };
      ended();
      return { value: undefined, done };
    };
    const results: Subscribed = {
      next: () => answered(events.next()),
      each: (tell) =>
        events
          .each((event) => this.#answer(operation, key, event).then((result) => tell(this.#present(operation, result))))
          .finally(ended),
      return: () => answered(events.return()),
      throw: (error: unknown) => answered(events.throw(error)),
      [Symbol.asyncIterator]: () => results,
      [Symbol.asyncDispose]: async () => void (await results.return(undefined)),
    };
    return results;
  }

  /** Its errors are presented to each by themselves: they name the request of whoever is told them. */
  #answer(operation: Operation, key: string, event: object): Promise<ExecutionResult> {
    let answers = this.#answers.get(event);
    if (!answers) {
      answers = new Map();
      this.#answers.set(event, answers);
    }
    let answer = answers.get(key);
    if (!answer) {
      // What was loaded for the event before is old.
      const fresh = operation.contextValue.within();
      answer = Promise.resolve(execute({ ...operation, rootValue: event, contextValue: fresh }));
      answers.set(key, answer);
    }
    return answer;
  }

  /** The same for all whom an event is answered alike. */
  #keyOf({ document, operationName, variableValues }: Operation): string {
    const { id, variables } = this.#read(document.loc!.source.body);
    return JSON.stringify([id, operationName, valuesOf(variables, variableValues ?? {})]);
  }

  /** @returns the same one where there are no errors. */
  #present({ contextValue }: Operation, result: ExecutionResult): ExecutionResult {
    const { errors } = result;
    if (!errors) return result;
    // The protocols' libraries print errors by their toJSON.
    const presented = this.presented(errors, contextValue).map((error) => ({ ...error, toJSON: () => error }));
    return { ...result, errors: presented as unknown as GraphQLError[] };
  }

  /** @throws {GraphQLError} or several of them. */
  #read(text: string): Known {
    const found = this.#known.get(text);
    if (found) return found;
    const document = parse(text, { maxTokens: MOST_TOKENS });
    const errors = validate(this.#schema, document, this.#rules);
    if (errors.length > 0) throw errors;
    this.#ids += 1;
    const known = { id: this.#ids, document, variables: variablesBelowRoot(document) };
    if (text.length <= LONGEST_REMEMBERED) this.#known.set(text, known);
    return known;
  }
}

/** In the words of graphql-js, to which the protocols' libraries would not let it come. */
const notOne = (name: string | null | undefined) =>
  name == null
    ? 'Must provide operation name if query contains multiple operations.'
    : `Unknown operation named "${name}".`;

/** As Apollo marks what is wrong with a document. */
const ofDocument = (error: GraphQLError): GraphQLError => {
  const { message, nodes, source, positions } = error;
  const extensions = { code: 'GRAPHQL_VALIDATION_FAILED' };
  return new GraphQLError(message, { nodes, source, positions, extensions, originalError: error });
};

/** Those of the root field itself say which events there are, not what an event is answered with. */
function variablesBelowRoot(document: DocumentNode): string[] {
  const names = new Set<string>();
  const note = { Variable: ({ name }: { name: { value: string } }) => void names.add(name.value) };
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition') visit(definition, note);
    if (definition.kind !== 'OperationDefinition') continue;
    for (const root of definition.selectionSet.selections) {
      for (const directive of root.directives ?? []) visit(directive, note);
      if (root.kind !== 'FragmentSpread' && root.selectionSet) visit(root.selectionSet, note);
    }
  }
  return [...names];
}
