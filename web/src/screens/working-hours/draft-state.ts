/** What is done to a draft of the week, step by step, and what happens when the week changes under it. */
import { onTopOf, sameWeek, type Week } from './draft.ts';

export interface DraftState {
  /** As it stands with the gateway. */
  base: Week;
  week: Week;
  /** For going back, the oldest first. */
  past: readonly Week[];
  /** What somebody else saved meanwhile. */
  theirs?: Week;
}

export type DraftAction =
  | { kind: 'arrived'; week: Week }
  | { kind: 'edited'; change: (week: Week) => Week }
  | { kind: 'undone' }
  | { kind: 'discarded' }
  | { kind: 'saved'; week: Week }
  | { kind: 'theirsTaken' }
  | { kind: 'mineKept' };

const MOST_STEPS = 100;

export const freshDraft = (week: Week): DraftState => ({ base: week, week, past: [] });

export function draftReducer(state: DraftState, action: DraftAction): DraftState {
  switch (action.kind) {
    case 'arrived':
      if (sameWeek(state.base, action.week)) return state.theirs ? { ...state, theirs: undefined } : state;
      if (sameWeek(state.base, state.week) || sameWeek(state.week, action.week)) return freshDraft(action.week);
      return { ...state, theirs: action.week };
    case 'edited': {
      const week = action.change(state.week);
      if (sameWeek(state.week, week)) return state;
      return { ...state, week, past: [...state.past.slice(1 - MOST_STEPS), state.week] };
    }
    case 'undone': {
      const week = state.past.at(-1);
      return week ? { ...state, week, past: state.past.slice(0, -1) } : state;
    }
    case 'discarded':
      return freshDraft(state.theirs ?? state.base);
    case 'saved':
      return freshDraft(action.week);
    case 'theirsTaken':
      return state.theirs ? freshDraft(state.theirs) : state;
    case 'mineKept':
      if (!state.theirs) return state;
      return { base: state.theirs, week: onTopOf(state.theirs, state.base, state.week), past: [] };
  }
}
