/** The pages of a Relay connection, as REST answers them. */
import { Readable } from 'node:stream';
import type { Answer } from '../domain/idempotency.ts';
import type { Shape } from '../schema/document-shape.ts';
import { MAX_PAGE } from '../schema/paging.ts';
import { toSnake } from './names.ts';

export interface Page {
  nodes: Record<string, unknown>[];
  page_info: { end_cursor?: string; has_next_page: boolean };
}

export type ReadPage = (variables: Record<string, unknown>) => Promise<Page>;

/**
 * One page where `limit` or the route asks for it; else page after page, since a bare array holds everything. What does not
 * fit on one page is written while it is read: a hundred thousand tenants begin after the first five hundred, and take no more
 * memory than those. What fails later ends the connection, so that nobody takes a part for the whole.
 *
 * @throws what the first page throws.
 */
export async function connectionAnswer(
  read: ReadPage,
  variables: Record<string, unknown>,
  url: string,
): Promise<Answer> {
  const { nodes, page_info } = await read({ ...variables, first: variables.first ?? MAX_PAGE });
  const { has_next_page: more, end_cursor: end } = page_info;
  if (!more) return { status: 200, body: nodes, headers: {} };
  if (variables.first !== undefined)
    return { status: 200, body: nodes, headers: end ? { link: nextPage(url, end) } : {} };
  const rest = pagesOf(read, { ...variables, after: end });
  // By default sixteen pages are read ahead.
  const body = Readable.from(arrayText(nodes, rest), { highWaterMark: 1 });
  return { status: 200, body, headers: { 'content-type': 'application/json; charset=utf-8' } };
}

/** As JSON.stringify writes all of them together. */
async function* arrayText(first: Page['nodes'], rest: AsyncGenerator<Page['nodes']>): AsyncGenerator<string> {
  yield JSON.stringify(first).slice(0, -1);
  for await (const nodes of rest) if (nodes.length > 0) yield `,${JSON.stringify(nodes).slice(1, -1)}`;
  yield ']';
}

/** Page after page. */
export async function* pagesOf(read: ReadPage, variables: Record<string, unknown>): AsyncGenerator<Page['nodes']> {
  for (let after = variables.after; ; ) {
    const { nodes, page_info } = await read({ ...variables, first: MAX_PAGE, after });
    yield nodes;
    if (!page_info.has_next_page) return;
    after = page_info.end_cursor;
  }
}

/** The link to the page after a cursor, for the header. */
export function nextPage(url: string, cursor: string): string {
  const next = new URL(url, 'http://gateway');
  next.searchParams.set('after', cursor);
  return `<${next.pathname}${next.search}>; rel="next"`;
}

/** The names of what a connection's nodes hold, in the document's order. */
export function columnsOf(connection: Shape): string[] {
  const nodes = connection.kind === 'object' && connection.members.find(({ key }) => key === 'nodes')?.shape;
  const node = nodes && nodes.kind === 'list' && nodes.item;
  return node && node.kind === 'object' ? node.members.map(({ key }) => toSnake(key)) : [];
}
