/** The part of the log that is seen: its pages, and what is added while one looks. */
import { useCallback, useEffect, useReducer, useRef } from 'react';
import { type CombinedError, useClient } from 'urql';
import { useReturn } from '../../api/live.ts';
import { useEvents } from '../../api/use-events.ts';
import {
  type AuditEntryFieldsFragment,
  AuditLogDocument,
  type AuditLogFilter,
  type AuditLogQuery,
  AuditTailDocument,
} from '../../documents.gen.ts';
import { belongs } from './filter.ts';

type Entry = AuditEntryFieldsFragment;

const PAGE = 50;
/** Of a tail that ran for so long the older part is dropped. */
const MOST = 500;
const NOTHING = {};

interface State {
  /** Absent until the first page is there. */
  entries?: Entry[];
  /** Those that came while one looked. */
  fresh: ReadonlySet<string>;
  /** Those that came while the list was held, newest first. */
  waiting: Entry[];
  /** How many came of which only the gateway can tell whether they belong. */
  unsure: number;
  cursor?: string | null;
  more: boolean;
  busy: false | 'first' | 'more';
  error?: CombinedError;
  /** What it was that could not be had. */
  failed?: 'first' | 'more';
}

type Action =
  | { type: 'asked'; what: 'first' | 'more' }
  | { type: 'first' | 'more'; page: AuditLogQuery['auditLog'] }
  | { type: 'failed'; what: 'first' | 'more'; error: CombinedError }
  | { type: 'came'; entry: Entry; held: boolean }
  | { type: 'unsure' }
  | { type: 'released' };

const NONE: ReadonlySet<string> = new Set();
const initial: State = { fresh: NONE, waiting: [], unsure: 0, more: false, busy: 'first' };

/** Ids are in the order of time. */
const newestFirst = (a: Entry, b: Entry) => (a.id < b.id ? 1 : -1);

function merge(added: Entry[], entries: Entry[]): Entry[] {
  const known = new Set(entries.map(({ id }) => id));
  return [...added.filter(({ id }) => !known.has(id)), ...entries].sort(newestFirst);
}

function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'asked':
      return { ...state, busy: action.what, error: undefined };
    case 'failed':
      return { ...state, busy: false, error: action.error, failed: action.what };
    case 'first': {
      const { nodes, pageInfo } = action.page;
      // After having counted them it is shown which they were.
      const known = new Set(state.unsure > 0 ? state.entries?.map(({ id }) => id) : nodes.map(({ id }) => id));
      const fresh = new Set(nodes.map(({ id }) => id).filter((id) => !known.has(id)));
      return { ...initial, entries: nodes, fresh, cursor: pageInfo.endCursor, more: pageInfo.hasNextPage, busy: false };
    }
    case 'more': {
      const { nodes, pageInfo } = action.page;
      const entries = merge(state.entries ?? [], nodes);
      return { ...state, entries, cursor: pageInfo.endCursor, more: pageInfo.hasNextPage, busy: false };
    }
    case 'came': {
      const { entry, held } = action;
      const seen = state.entries?.some(({ id }) => id === entry.id) || state.waiting.some(({ id }) => id === entry.id);
      if (!state.entries || seen) return state;
      if (held) return { ...state, waiting: [entry, ...state.waiting] };
      return { ...state, entries: merge([entry], state.entries), fresh: new Set([...state.fresh, entry.id]) };
    }
    case 'unsure':
      return { ...state, unsure: state.unsure + 1 };
    case 'released':
      return {
        ...state,
        entries: merge(state.waiting, state.entries ?? []),
        fresh: new Set([...state.fresh, ...state.waiting.map(({ id }) => id)]),
        waiting: [],
      };
  }
}

/** @param held what comes is counted and not shown. */
export function useAuditLog(filter: AuditLogFilter, held: boolean) {
  const client = useClient();
  const [state, dispatch] = useReducer(reduce, initial);
  const asked = useRef(0);

  const ask = useCallback(
    async (what: 'first' | 'more', after?: string | null) => {
      asked.current += 1;
      const turn = asked.current;
      dispatch({ type: 'asked', what });
      const { data, error } = await client
        .query(AuditLogDocument, { first: PAGE, after, filter }, { requestPolicy: 'network-only' })
        .toPromise();
      // Something else was asked meanwhile.
      if (turn !== asked.current) return;
      if (data) dispatch({ type: what, page: data.auditLog });
      else if (error) dispatch({ type: 'failed', what, error });
    },
    [client, filter],
  );
  const reload = useCallback(() => void ask('first'), [ask]);
  useEffect(reload, [reload]);

  const take = (entry: Entry) => {
    const verdict = belongs(entry, filter);
    if (verdict) dispatch({ type: 'came', entry, held });
    else if (verdict === undefined) dispatch({ type: 'unsure' });
  };
  useEvents(AuditTailDocument, NOTHING, ({ auditEntryAdded: { kind, entry, recent } }) => {
    if (entry) take(entry);
    else if (kind === 'RESET') reload();
    else {
      // What was added between the first page and now.
      const newest = state.entries?.[0]?.id;
      if (newest) for (const one of recent ?? []) if (one.id > newest) take(one);
    }
  });
  // What a failed question left open.
  useReturn(useCallback(() => void (state.error && reload()), [state.error, reload]));

  const long = !held && (state.entries?.length ?? 0) > MOST && state.fresh.size > PAGE;
  useEffect(() => {
    if (long) reload();
  }, [long, reload]);

  return {
    ...state,
    reload,
    loadMore: () => void ask('more', state.cursor),
    /** Shows what came while the list was held. */
    release: () => (state.unsure > 0 ? reload() : dispatch({ type: 'released' })),
  };
}
