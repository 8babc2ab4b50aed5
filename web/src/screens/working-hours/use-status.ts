/** Whether it is open now: asked for at first, told by the socket from then on, and asked again when it is due to change. */
import { useEffect, useRef, useState } from 'react';
import { type CombinedError, useQuery, useSubscription } from 'urql';
import { type HoursStatusFragment, HoursStatusLiveDocument, HoursStatusNowDocument } from '../../documents.gen.ts';

const LONGEST_TIMER = 2 ** 31 - 1;
/** Without a socket. */
const ASK_EVERY_MS = 30_000;

export interface LiveStatus {
  status?: HoursStatusFragment;
  error?: CombinedError;
  retry(): void;
}

/** @param onChange the hours changed, or the status did. */
export function useStatus(divisionId: string | undefined, onChange: () => void): LiveStatus {
  const [asked, ask] = useQuery({ query: HoursStatusNowDocument, variables: { divisionId } });
  const [status, setStatus] = useState<HoursStatusFragment>();
  useEffect(() => {
    if (asked.data && !asked.stale) setStatus(asked.data.workingHoursStatus);
  }, [asked.data, asked.stale]);

  const [live] = useSubscription({ query: HoursStatusLiveDocument, variables: { divisionId } });
  const event = live.data?.workingHoursStatusChanged;
  const seen = useRef<number>(undefined);
  const changed = useRef(onChange);
  changed.current = onChange;
  useEffect(() => {
    if (!event || event.sequence === seen.current) return;
    setStatus(event.status);
    if (seen.current !== undefined) changed.current();
    seen.current = event.sequence;
  }, [event]);

  const due = status?.nextChangeAt;
  const isDeaf = Boolean(live.error);
  useEffect(() => {
    const again = () => ask({ requestPolicy: 'network-only' });
    const wait = due ? Math.max(Date.parse(due) - Date.now() + 300, 1000) : LONGEST_TIMER;
    const timer = setTimeout(again, Math.min(wait, LONGEST_TIMER));
    const poll = isDeaf ? setInterval(again, ASK_EVERY_MS) : undefined;
    return () => {
      clearTimeout(timer);
      clearInterval(poll);
    };
  }, [due, isDeaf, ask]);

  return {
    status: status ?? asked.data?.workingHoursStatus,
    error: asked.error,
    retry: () => ask({ requestPolicy: 'network-only' }),
  };
}
