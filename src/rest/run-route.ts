/** Runs one route: its checks, its document, and the spelling of its answer. Everything is compiled once. */
import type { GraphQLSchema } from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { downloadOf, type ExportPart } from '../domain/export/exports.ts';
import type { Answer } from '../domain/idempotency.ts';
import * as rules from '../domain/rules.ts';
import { AppError, toAppError } from '../errors.ts';
import { operationOf, rootOf } from '../schema/document-shape.ts';
import { MAX_PAGE } from '../schema/paging.ts';
import { authorize, type Demand } from '../schema/permissions.ts';
import { PlainQuery } from '../schema/plain-query.ts';
import { answerShape, bodyOf, restSpelling } from './answer-shape.ts';
import { checkRest, inRest } from './body.ts';
import { columnsOf, connectionAnswer, nextPage, type Page, pagesOf } from './connection.ts';
import { type Asked, downloadAnswer } from './download.ts';
import { type ExportFormat, exportAnswer } from './export.ts';
import { toCamel, toSnake } from './names.ts';
import { wholeNumber } from './query.ts';
import type { Route } from './route.ts';
import { variablesFor } from './variables.ts';

export interface RestRequest {
  path: Record<string, string>;
  query: Record<string, unknown>;
  body: unknown;
}

/** What came, checked. */
export interface RouteInput {
  variables: Record<string, unknown>;
  query: Record<string, unknown>;
}

export interface RunnableRoute {
  readonly route: Route;
  /** Whether its document is a mutation. */
  readonly changes: boolean;
  /** Who may come in, asked before anything of the input is looked at. @throws {AppError} */
  authorize(ctx: Context): Promise<void>;
  /** Checks the input. @throws {AppError} validation_failed */
  read(request: RestRequest): RouteInput;
  /** @throws {AppError} */
  run(ctx: Context, input: RouteInput, asked: Asked): Promise<Answer>;
}

const noBody = z.strictObject({}).optional();

/** Lists hold everything unless `limit` asks for a page (contract section 1). */
const paging = z.object({
  limit: wholeNumber(1, MAX_PAGE).meta({ description: 'At most so many; without it, all.' }).optional(),
  after: rules.uuid.meta({ description: 'The cursor from the Link header.' }).optional(),
});

/** What a route's path holds. */
export const pathRules = ({ path }: Route): z.ZodObject =>
  z.object(Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [toCamel(name!), rules.uuid])));

/** Everything that a route's query may hold. */
export const queryRules = ({ query, answer, pageSize }: Route): z.ZodObject => {
  const own = query ?? z.object({});
  if (!answer) return own;
  const { limit, after } = paging.shape;
  const described = pageSize
    ? limit.meta({ ...limit.meta(), description: `At most so many; ${pageSize} unless said otherwise.` })
    : limit;
  return own.extend({ limit: described, after });
};

export function runnable(schema: GraphQLSchema, route: Route): RunnableRoute {
  const { document } = route;
  const operation = operationOf(document);
  const changes = operation.operation === 'mutation';
  const root = rootOf(schema, document);
  const demand = root.field.extensions as unknown as Demand;
  // When it is first asked for: all of them would be a twentieth of a start.
  let compiled: CompiledQuery | undefined;
  const compile = (): CompiledQuery => {
    const query = compileQuery(schema, document);
    if (!isCompiledQuery(query)) throw new Error(`${route.method} ${route.path} does not fit the schema`);
    return query;
  };
  const shape = answerShape(schema, document);
  const toVariables = variablesFor(schema, document);
  const path = pathRules(route);
  const query = queryRules(route);
  const known = new Set(Object.keys(query.shape).map((key) => toSnake(key)));
  const columns = route.export ? columnsOf(root.shape) : [];

  const execute = async (ctx: Context, variables: Record<string, unknown>): Promise<Record<string, unknown>> => {
    compiled ??= compile();
    const { data, errors } = await compiled.query(undefined, ctx, variables);
    if (errors?.[0]) rethrow(errors[0].originalError ?? errors[0]);
    return data as Record<string, unknown>;
  };

  let plain: { query?: PlainQuery } | undefined;
  /** A mutation, which cannot be tried twice, is executed at once. */
  const read = async (ctx: Context, variables: Record<string, unknown>): Promise<unknown> => {
    plain ??= { query: changes ? undefined : PlainQuery.of(schema, document, operation, restSpelling) };
    const answered = await plain.query?.answer(ctx, variables).catch(rethrow);
    return answered ? bodyOf(root, answered.value) : shape(await execute(ctx, variables));
  };

  /** A full page may be the last one. */
  const hasMore = async (ctx: Context, variables: Record<string, unknown>, after: string): Promise<boolean> =>
    ((await read(ctx, { ...variables, first: 1, after })) as unknown[]).length > 0;

  return {
    route,
    changes,
    authorize: (ctx) => authorize(ctx, demand, changes),
    read(request) {
      const inPath = checkRest(path, request.path);
      const { limit, ...inQuery } = checkRest(query, pick(known, request.query));
      const body = checkRest(route.body ?? noBody, request.body) ?? {};
      const first = limit ?? route.pageSize;
      return { variables: toVariables({ path: inPath, query: { ...inQuery, first }, body }), query: inQuery };
    },
    async run(ctx, { variables, query: inQuery }, asked) {
      const { url } = asked;
      const readPage = (wanted: Record<string, unknown>) => read(ctx, wanted) as Promise<Page>;
      if (route.answer === 'connection') return connectionAnswer(readPage, variables, url);
      if (route.export) {
        const format = inQuery.format as ExportFormat;
        return exportAnswer(pagesOf(readPage, variables), { format, file: route.export, columns });
      }
      if (route.download) {
        const found = await execute(ctx, variables);
        const [file] = Object.values(found) as [{ id: string; tenantId: string }];
        return downloadAnswer(await downloadOf(ctx, file, inQuery.part as ExportPart), asked);
      }
      const result = await read(ctx, variables);
      const headers: Record<string, string> = {};
      if (route.answer === 'list') {
        const last = (result as { id: string }[]).at(-1);
        const full = variables.first !== undefined && (result as unknown[]).length === variables.first;
        if (full && last && (await hasMore(ctx, variables, last.id))) headers.link = nextPage(url, last.id);
      }
      if (route.media) return textAnswer(route.media, result);
      if (route.location) {
        const { id } = result as { id: string };
        headers.location = route.location.replace('{address}', url.split('?')[0]!).replace('{id}', id);
      }
      return { status: route.status ?? 200, body: route.says ?? result, headers };
    },
  };
}

function textAnswer({ type, file }: NonNullable<Route['media']>, result: unknown): Answer {
  const [text] = Object.values(result as object);
  const headers = { 'content-type': `${type}; charset=utf-8`, 'content-disposition': `attachment; filename="${file}"` };
  return { status: 200, body: text, headers };
}

/** Parameters that a route does not know are left alone, as links with tracking parameters need. */
const pick = (known: Set<string>, given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([name]) => known.has(name)));

/** @throws {AppError} what a resolver threw, in REST's spelling. */
function rethrow(error: unknown): never {
  const found = toAppError(error);
  if (!found.details) throw found;
  throw new AppError(found.code, { message: found.message, details: found.details.map(inRest), cause: found });
}
