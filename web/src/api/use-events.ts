/** Events of a subscription one by one, for what has to be done at each. */
import { useEffect, useRef } from 'react';
import { type DocumentInput, useClient } from 'urql';

/** @param variables undefined: not now. The document declares `$after`, which is filled in after a loss. */
export function useEvents<Data, Variables extends Record<string, unknown>>(
  document: DocumentInput<Data, Variables>,
  variables: Variables | undefined,
  onEvent: (data: Data) => void,
): void {
  const client = useClient();
  const latest = useRef(onEvent);
  useEffect(() => {
    latest.current = onEvent;
  });
  const key = variables && JSON.stringify(variables);
  useEffect(() => {
    if (!key) return;
    const { unsubscribe } = client
      .subscription(document, JSON.parse(key) as Variables)
      .subscribe(({ data }) => data && latest.current(data));
    return unsubscribe;
  }, [client, document, key]);
}
