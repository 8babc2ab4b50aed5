/**
 * What an operation can cost: how many objects its answer may hold, by the sizes that it asks for. The size is that of the
 * arguments in SIZES; a list that holds everything unless it is given one counts as a full page, a list of parts as PARTS.
 */
import {
  type DocumentNode,
  GraphQLError,
  GraphQLInt,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isLeafType,
  isListType,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity';
import { DEFAULT_PAGE, MAX_PAGE } from './paging.ts';
import { valuesOf } from './values-of.ts';

/** Objects. A full page of tenants with all that belongs to each is 8,000. */
export const MOST_COST = 20_000;

/** Arguments that say how many there will be. */
const SIZES = ['first', 'count', 'buckets', 'days', 'minutes'];
/** Of a list that takes no size, such as the steps of a provisioning. */
const PARTS = 10;
/** So many selections are walked at most, those of a fragment each time that it is spread. */
const MOST_SELECTIONS = 5000;
/** Answers that are remembered for each document. */
const REMEMBERED = 50;

const estimate: ComplexityEstimator = ({ field, type, args, childComplexity }) => {
  if (field.name.startsWith('__') || isLeafType(getNamedType(field.type))) return 0;
  return sizeOf(field, type.name, args) * (1 + childComplexity);
};

function sizeOf(field: Parameters<ComplexityEstimator>[0]['field'], parent: string, args: Record<string, unknown>) {
  const list = isListType(getNullableType(field.type));
  const size = field.args.find(({ name, type }) => SIZES.includes(name) && getNullableType(type) === GraphQLInt)?.name;
  if (size) {
    const given = args[size];
    if (typeof given === 'number') return Math.max(1, given);
    return list ? MAX_PAGE : DEFAULT_PAGE;
  }
  // The page's size has been counted at the connection.
  return list && !parent.endsWith('Connection') ? PARTS : 1;
}

interface Known {
  /** Variables that sizes or directives depend on. */
  variables: string[];
  costs: Map<string, number>;
}

/** By document, which servers remember too: what was worked out once costs a request a look-up. */
const known = new WeakMap<DocumentNode, Known>();

/** @throws {GraphQLError} for one that costs too much, or whose variables do not fit. */
export function refuseTooCostly(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> = {},
): void {
  const cost = costOf(schema, document, operation, variables);
  if (cost <= MOST_COST) return;
  throw new GraphQLError(
    `The answer may hold ${cost} objects, and ${MOST_COST} are the most: ask for fewer at a time by "first".`,
    { nodes: [operation] },
  );
}

/** How many objects the answer may hold. */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
): number {
  let about = known.get(document);
  if (!about) {
    about = { variables: decidingVariables(document), costs: new Map() };
    known.set(document, about);
  }
  const name = operation.name?.value;
  const key = about.variables.length > 0 ? JSON.stringify([name, valuesOf(about.variables, variables)]) : (name ?? '');
  let cost = about.costs.get(key);
  if (cost === undefined) {
    cost = getComplexity({
      schema,
      query: document,
      operationName: name,
      variables: { ...variables },
      estimators: [estimate],
      maxQueryNodes: MOST_SELECTIONS,
    });
    if (about.costs.size >= REMEMBERED) about.costs.clear();
    about.costs.set(key, cost);
  }
  return cost;
}

function decidingVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  const note = { Variable: ({ name }: { name: { value: string } }) => void names.add(name.value) };
  visit(document, {
    Argument(node) {
      if (SIZES.includes(node.name.value)) visit(node, note);
    },
    Directive(node) {
      visit(node, note);
    },
  });
  return [...names];
}
