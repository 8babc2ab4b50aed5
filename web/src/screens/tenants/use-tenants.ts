/** The tenants of a page and how many there are, as they change. */
import { useDebouncedCallback, useThrottledCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useEvents } from '../../api/use-events.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { TenantChangesDocument, TenantCountsDocument, TenantsDocument } from '../../documents.gen.ts';
import type { ListState } from './list-state.ts';

export const PAGE = 25;

/** However many tenants change in a moment, the lists are asked for so often at most. */
const ASK_EVERY_MS = 1500;

/** How many there are of each is told as of up to a second ago: what is asked for after the last change has to be asked for so much later. */
const COUNTS_AFTER_MS = 1200;
/** So often while changes do not end. */
const COUNTS_MEANWHILE_MS = 3 * COUNTS_AFTER_MS;

export function useTenants({ search, status, field, direction, after }: ListState) {
  const page = useFresh({
    query: TenantsDocument,
    variables: {
      first: PAGE,
      after: after ?? null,
      filter: search || status ? { search: search || null, status: status ?? null } : null,
      order: { field, direction },
    },
  });
  const counts = useFresh({ query: TenantCountsDocument });
  const [unseen, setUnseen] = useState(0);
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());

  const newestFirst = field === 'CREATED_AT' && direction === 'DESC' && !after && !search && !status;
  const askPage = useThrottledCallback(page.refetch, ASK_EVERY_MS);
  const askCountsMeanwhile = useThrottledCallback(counts.refetch, COUNTS_MEANWHILE_MS);
  const askCountsAtLast = useDebouncedCallback(counts.refetch, COUNTS_AFTER_MS);
  const askCounts = () => {
    askCountsMeanwhile();
    askCountsAtLast();
  };
  const ask = () => {
    askPage();
    askCounts();
  };

  useEvents(TenantChangesDocument, {}, ({ tenantChanged: { kind, change, tenant } }) => {
    if (kind === 'SNAPSHOT') return;
    if (!tenant) return ask();
    setChanged((ids) => new Set([...ids, tenant.id].slice(-PAGE)));
    // The rows themselves change with the cache; the lists have to be asked for.
    if (change === 'REMOVED' || status) return ask();
    if (change !== 'CREATED') return askCounts();
    if (newestFirst) return ask();
    setUnseen((count) => count + 1);
    askCounts();
  });

  return {
    page,
    counts: counts.data?.systemHealth.tenants,
    /** Made since, and not in what is shown. */
    unseen,
    forgetUnseen: () => setUnseen(0),
    /** Those that changed while one looked. */
    changed,
  };
}
