/** The users of a tenant, page by page. */
import { useState } from 'react';
import { useFresh } from '../../api/use-fresh.ts';
import { TenantUsersDocument, type TenantUsersQuery } from '../../documents.gen.ts';

export type TenantUser = TenantUsersQuery['tenantUsers'][number];

export const PAGE = 25;

export function useUsers(tenantId: string, search: string) {
  // The users after whom the pages before this one ended.
  const [way, setWay] = useState<{ search: string; ends: string[] }>({ search, ends: [] });
  if (way.search !== search) setWay({ search, ends: [] });
  const { data, error, fetching, refetch } = useFresh({
    query: TenantUsersDocument,
    // One more than is shown, to know whether there are more.
    variables: { tenantId, search: search || null, first: PAGE + 1, after: way.ends.at(-1) ?? null },
  });
  const found = data?.tenantUsers;
  const users = found?.slice(0, PAGE);

  return {
    users,
    error,
    fetching,
    refetch,
    next: found && found.length > PAGE ? () => setWay({ search, ends: [...way.ends, users!.at(-1)!.id] }) : undefined,
    previous: way.ends.length ? () => setWay({ search, ends: way.ends.slice(0, -1) }) : undefined,
  };
}
