/** The week of the organization or of a division: read, edited as a draft, saved without running over what others saved. */
import { useCallback, useEffect, useReducer, useState } from 'react';
import { type CombinedError, useClient, useQuery } from 'urql';
import {
  DivisionWeekDocument,
  OrganizationWeekDocument,
  SaveDivisionWeekDocument,
  SaveOrganizationWeekDocument,
  type WeekEntryFragment,
} from '../../documents.gen.ts';
import { changedDays, entriesOf, sameWeek, WEEKDAYS, type Week, weekOf } from './draft.ts';
import { type DraftState, draftReducer, freshDraft } from './draft-state.ts';

export interface Schedule extends DraftState {
  isLoading: boolean;
  error?: CombinedError;
  /** Of a division: whether it has hours of its own. */
  isOverride: boolean;
  /** Weekdays that differ from what stands. */
  changed: readonly number[];
  /** Weekdays that a save would name: all of those that a division takes over. */
  named: readonly number[];
  isDirty: boolean;
  isSaving: boolean;
  saveError?: CombinedError;
  edit(change: (week: Week) => Week): void;
  undo(): void;
  discard(): void;
  takeTheirs(): void;
  keepMine(): void;
  /** A division that follows the organization gets these hours as its own. */
  adopt(): void;
  isAdopting: boolean;
  /** @returns whether it was saved. */
  save(): Promise<boolean>;
  reload(): void;
}

const FRESH = { requestPolicy: 'network-only' } as const;

/** @param divisionId undefined: the organization's. @param mayRead whether the caller may see the entries. */
export function useSchedule(divisionId: string | undefined, mayRead: boolean): Schedule {
  const client = useClient();
  const [organization, readOrganization] = useQuery({
    query: OrganizationWeekDocument,
    pause: !mayRead || divisionId !== undefined,
  });
  const [division, readDivision] = useQuery({
    query: DivisionWeekDocument,
    variables: { divisionId: divisionId ?? '' },
    pause: !mayRead || divisionId === undefined,
  });
  const own = division.data?.divisionWorkingHours;
  const entries = divisionId ? own?.workingHours : organization.data?.workingHours;
  const result = divisionId ? division : organization;

  const [state, dispatch] = useReducer(draftReducer, freshDraft([]));
  const [isLoaded, setIsLoaded] = useState(false);
  const [isAdopting, setIsAdopting] = useState(false);
  const [isSaving, setIsSaving] = useState(false);
  const [saveError, setSaveError] = useState<CombinedError>();
  const arrived = useCallback((rows: readonly WeekEntryFragment[]) => {
    dispatch({ kind: 'arrived', week: weekOf(rows) });
    setIsLoaded(true);
  }, []);
  useEffect(() => {
    if (entries) arrived(entries);
  }, [entries, arrived]);

  const isOverride = own?.isOverride ?? false;
  const changed = changedDays(state.base, state.week);
  const named = isAdopting ? WEEKDAYS : changed;

  /** What stands at this moment, past all caches. */
  async function standing(): Promise<{ entries: readonly WeekEntryFragment[]; error?: CombinedError }> {
    if (divisionId) {
      const { data, error } = await client.query(DivisionWeekDocument, { divisionId }, FRESH).toPromise();
      return { entries: data?.divisionWorkingHours.workingHours ?? [], error };
    }
    const { data, error } = await client.query(OrganizationWeekDocument, {}, FRESH).toPromise();
    return { entries: data?.workingHours ?? [], error };
  }

  async function write(): Promise<{ entries?: readonly WeekEntryFragment[]; error?: CombinedError }> {
    const days = entriesOf(state.week, named).map(({ entry }) => entry);
    if (divisionId) {
      const { data, error } = await client.mutation(SaveDivisionWeekDocument, { divisionId, days }).toPromise();
      return { entries: data?.updateDivisionWorkingHours, error };
    }
    const { data, error } = await client.mutation(SaveOrganizationWeekDocument, { days }).toPromise();
    return { entries: data?.updateWorkingHours, error };
  }

  async function save(): Promise<boolean> {
    setIsSaving(true);
    setSaveError(undefined);
    try {
      const now = await standing();
      if (now.error) {
        setSaveError(now.error);
        return false;
      }
      // Somebody else was faster: `arrived` has said so, and nothing of theirs is overwritten.
      if (!sameWeek(state.base, weekOf(now.entries))) {
        arrived(now.entries);
        return false;
      }
      const { entries: saved, error } = await write();
      setSaveError(error);
      if (!saved) return false;
      dispatch({ kind: 'saved', week: weekOf(saved) });
      setIsAdopting(false);
      await standing();
      return true;
    } finally {
      setIsSaving(false);
    }
  }

  const end = (kind: 'discarded' | 'theirsTaken') => () => {
    dispatch({ kind });
    setIsAdopting(false);
    setSaveError(undefined);
  };

  return {
    ...state,
    isLoading: mayRead && !isLoaded && !result.error,
    error: isLoaded ? undefined : result.error,
    isOverride,
    changed,
    named,
    isDirty: named.length > 0,
    isSaving,
    saveError,
    edit: (change) => dispatch({ kind: 'edited', change }),
    undo: () => dispatch({ kind: 'undone' }),
    discard: end('discarded'),
    takeTheirs: end('theirsTaken'),
    keepMine: () => dispatch({ kind: 'mineKept' }),
    adopt: () => setIsAdopting(true),
    isAdopting,
    save,
    reload: () => (divisionId ? readDivision(FRESH) : readOrganization(FRESH)),
  };
}
