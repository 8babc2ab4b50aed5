/** What part of the tenants is seen: kept in the address, so that a reload and the way back find it again. */
import { useCallback } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import type { OrderDirection, TenantOrderField, TenantStatus } from '../../documents.gen.ts';

export interface ListState {
  search: string;
  status?: TenantStatus;
  field: TenantOrderField;
  direction: OrderDirection;
  /** The cursor after which the page starts; absent on the first one. */
  after?: string;
}

const FIELDS: readonly TenantOrderField[] = ['CREATED_AT', 'NAME', 'SLUG', 'STATUS'];
const STATUSES: readonly TenantStatus[] = ['ACTIVE', 'PROVISIONING', 'SUSPENDED'];

const oneOf = <T extends string>(values: readonly T[], value: string | null): T | undefined =>
  values.find((known) => known === value);

function read(params: URLSearchParams): ListState {
  const [field, direction] = (params.get('sort') ?? '').split('-');
  const known = oneOf(FIELDS, field ?? null);
  return {
    search: params.get('q') ?? '',
    status: oneOf(STATUSES, params.get('status')),
    field: known ?? 'CREATED_AT',
    direction: known && direction !== 'DESC' ? 'ASC' : 'DESC',
    after: params.get('after') ?? undefined,
  };
}

function write({ search, status, field, direction, after }: ListState): string {
  const params = new URLSearchParams();
  if (search) params.set('q', search);
  if (status) params.set('status', status);
  if (field !== 'CREATED_AT' || direction !== 'DESC') params.set('sort', `${field}-${direction}`);
  if (after) params.set('after', after);
  return `?${params}`;
}

/** The cursors of the pages before this one; the first page has none. */
interface Way {
  pages: (string | null)[];
}

export function useListState() {
  const [params] = useSearchParams();
  const location = useLocation();
  const navigate = useNavigate();
  const state = read(params);
  const way = (location.state as Way | null)?.pages;

  /** Another part of the list, from its first page. */
  const change = useCallback(
    (next: Partial<ListState>) =>
      navigate(
        { search: write({ ...read(new URLSearchParams(window.location.search)), ...next, after: undefined }) },
        { replace: true },
      ),
    [navigate],
  );
  const next = (cursor: string) =>
    navigate(
      { search: write({ ...state, after: cursor }) },
      { state: { pages: [...(way ?? []), state.after ?? null] } },
    );
  const previous = () =>
    navigate({ search: write({ ...state, after: way?.at(-1) ?? undefined }) }, { state: { pages: way?.slice(0, -1) } });

  return {
    state,
    change,
    next,
    /** Absent on the first page. From an address alone, the way back leads to the first page. */
    previous: state.after ? previous : undefined,
    /** How many pages lie before; unknown where only the address was given. */
    before: state.after ? way?.length : 0,
  };
}
