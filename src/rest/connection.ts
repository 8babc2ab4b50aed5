/** The pages of a Relay connection, as REST answers them. */
import type { Answer } from '../domain/idempotency.ts';
import { MAX_PAGE } from '../schema/paging.ts';
import type { Shape } from './document-shape.ts';

export interface Page {
  nodes: Record<string, unknown>[];
  page_info: { end_cursor?: string; has_next_page: boolean };
}

export type ReadPage = (variables: Record<string, unknown>) => Promise<Page>;

/** One page where `limit` or the route asks for it; else page after page, since a bare array holds everything. */
export async function connectionAnswer(
  read: ReadPage,
  variables: Record<string, unknown>,
  url: string,
): Promise<Answer> {
  if (variables.first === undefined) {
    const body: unknown[] = [];
    for await (const nodes of pagesOf(read, variables)) body.push(...nodes);
    return { status: 200, body, headers: {} };
  }
  const { nodes, page_info } = await read(variables);
  const { has_next_page: more, end_cursor: end } = page_info;
  return { status: 200, body: nodes, headers: more && end ? { link: nextPage(url, end) } : {} };
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
  const nodes = connection.kind === 'object' && connection.members.find(({ name }) => name === 'nodes')?.shape;
  const node = nodes && nodes.kind === 'list' && nodes.item;
  return node && node.kind === 'object' ? node.members.map(({ name }) => name) : [];
}
