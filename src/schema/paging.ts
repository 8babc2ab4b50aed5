/**
 * Keyset paging: a cursor is the id of the last item seen, and ids (UUIDv7) ascend with the time of creation. In another
 * order it carries what that order goes by as well.
 */
import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import { invalid } from '../errors.ts';
import { isUuid } from './scalars.ts';

export const MAX_PAGE = 500;
export const DEFAULT_PAGE = 50;

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, description: 'At most so many, 1 to 500.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'The cursor after which the page starts.' })
  after?: string | null;
}

@ObjectType({ description: 'Where a page stands in its list (Relay cursor connections).' })
export class PageInfo {
  @Field(() => String, { nullable: true, description: 'Of the first item; absent of an empty page.' })
  startCursor?: string;

  @Field(() => String, { nullable: true, description: 'Give it as `after` to get the next page.' })
  endCursor?: string;

  @Field({ description: 'Whether there is more behind the page.' })
  hasNextPage!: boolean;

  @Field({ description: 'Whether there is something before the page.' })
  hasPreviousPage!: boolean;
}

/** How the cursors of a list are written, and told from those of others. */
export interface Cursors<Row> {
  of(row: Row): string;
  fits(cursor: string): boolean;
}

const byId: Cursors<{ id: string }> = { of: ({ id }) => id, fits: isUuid };

/** @throws {AppError} validation_failed for a size or a cursor that cannot be. */
export function checkPage({ first, after }: PageArgs, cursors: Pick<Cursors<never>, 'fits'> = byId): void {
  checkSize(first);
  if (after != null && !cursors.fits(after)) throw invalid('after', 'is not a cursor of this list in this order');
}

/** @throws {AppError} validation_failed */
export function checkSize(first: number | null | undefined): void {
  if (first != null && (first < 1 || first > MAX_PAGE)) throw invalid('first', `must be 1 to ${MAX_PAGE}`);
}

/** A page of a list that is small enough to be read as a whole. @throws {AppError} validation_failed */
export function pageOf<Row extends { id: string }>(rows: Row[], page: PageArgs): Row[] {
  checkPage(page);
  const { first, after } = page;
  const start = after == null ? 0 : rows.findIndex(({ id }) => id === after.toLowerCase()) + 1;
  if (after != null && start === 0) throw invalid('after', 'is not a cursor of this list');
  return rows.slice(start, first == null ? undefined : start + first);
}

export interface Connection<Row> {
  edges: { cursor: string; node: Row }[];
  nodes: Row[];
  pageInfo: PageInfo;
}

/** Reads one row more than the page holds to know whether there is another page. */
export async function readConnection<Row extends { id: string }>(
  page: PageArgs,
  read: (limit: number) => Promise<Row[]>,
  cursors: Cursors<Row> = byId,
): Promise<Connection<Row>> {
  checkPage(page, cursors);
  const size = page.first ?? DEFAULT_PAGE;
  const rows = await read(size + 1);
  const nodes = rows.slice(0, size);
  const edges = nodes.map((node) => ({ cursor: cursors.of(node), node }));
  return {
    nodes,
    edges,
    pageInfo: {
      startCursor: edges[0]?.cursor,
      endCursor: edges.at(-1)?.cursor,
      hasNextPage: rows.length > size,
      hasPreviousPage: page.after != null,
    },
  };
}
