/** A query of a screen: asked again when the connection is back, and kept while it cannot be asked. */
import { useCallback, useState } from 'react';
import { type AnyVariables, type CombinedError, createRequest, type UseQueryArgs, useQuery } from 'urql';
import { useReturn } from './live.ts';

export interface Fresh<Data> {
  /** The last answer; until the first one to new variables is there, the one to those before. */
  data?: Data;
  error?: CombinedError;
  /** Whether an answer is on its way, the first or a newer one. */
  fetching: boolean;
  refetch: () => void;
}

export function useFresh<Data, Variables extends AnyVariables>(args: UseQueryArgs<Variables, Data>): Fresh<Data> {
  const [{ data, error, fetching, stale, operation }, execute] = useQuery(args);
  const refetch = useCallback(() => execute({ requestPolicy: 'network-only' }), [execute]);
  useReturn(refetch);
  const { key } = createRequest(args.query, args.variables as Variables);
  const [kept, keep] = useState<{ key: number; data: Data }>();
  if (data && operation && kept?.data !== data) keep({ key: operation.key, data });
  // An answer that failed has none.
  const last = data ?? (kept && kept.key === key ? kept.data : undefined);
  return { data: last, error, fetching: fetching || stale, refetch };
}
