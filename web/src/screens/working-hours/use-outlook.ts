/** What a week would mean, asked a moment after the last change to it. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { useReturn } from '../../api/live.ts';
import { WeekOutlookDocument, type WeekOutlookQuery } from '../../documents.gen.ts';
import { entriesOf, WEEKDAYS, type Week } from './draft.ts';

const WAIT_MS = 350;
const COUNT = 8;

type Warning = WeekOutlookQuery['workingHoursPreview']['warnings'][number];

export interface Outlook {
  changes: readonly { at: string; isWorkingHours: boolean }[];
  /** Those that are about a stretch have its key. */
  warnings: readonly (Warning & { key?: string })[];
  openHoursPerWeek: number;
}

export interface OutlookState {
  outlook?: Outlook;
  /** What is shown is of an earlier draft. */
  isPending: boolean;
  error?: CombinedError;
}

/**
 * @param week undefined: as it stands, for callers who may not read the entries.
 * @param asOf asked again when it changes, as after an exception was added.
 */
export function useOutlook(week: Week | undefined, divisionId: string | undefined, asOf: unknown): OutlookState {
  const client = useClient();
  const [state, setState] = useState<OutlookState>({ isPending: true });
  const told = useMemo(() => week && entriesOf(week, WEEKDAYS), [week]);
  const [returns, setReturns] = useState(0);
  useReturn(useCallback(() => setReturns((count) => count + 1), []));
  useEffect(() => {
    let isGone = false;
    setState((before) => ({ ...before, isPending: true }));
    const timer = setTimeout(async () => {
      const input = { divisionId, count: COUNT, days: told?.map(({ entry }) => entry) };
      const { data, error } = await client
        .query(WeekOutlookDocument, { input }, { requestPolicy: 'network-only' })
        .toPromise();
      if (isGone) return;
      const preview = data?.workingHoursPreview;
      setState({
        isPending: false,
        error,
        outlook: preview && {
          ...preview,
          warnings: preview.warnings.map((warning) => ({
            ...warning,
            key: warning.entry === null ? undefined : told?.[warning.entry]?.key,
          })),
        },
      });
    }, WAIT_MS);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [client, told, divisionId, asOf, returns]);
  return state;
}
