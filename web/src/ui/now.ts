/** The clock that screens look at: one timer for all that show the same steps of time. */
import { useCallback, useSyncExternalStore } from 'react';

const clocks = new Map<number, { now: number; listeners: Set<() => void>; timer?: ReturnType<typeof setInterval> }>();

function clockOf(step: number) {
  const clock = clocks.get(step) ?? { now: Date.now(), listeners: new Set<() => void>() };
  clocks.set(step, clock);
  return clock;
}

/** Now, in milliseconds since the epoch, again every `step` milliseconds. */
export function useNow(step = 15_000): number {
  const clock = clockOf(step);
  const subscribe = useCallback(
    (listener: () => void) => {
      const clock = clockOf(step);
      if (!clock.listeners.size) {
        clock.now = Date.now();
        clock.timer = setInterval(() => {
          clock.now = Date.now();
          for (const tell of clock.listeners) tell();
        }, step);
      }
      clock.listeners.add(listener);
      return () => {
        clock.listeners.delete(listener);
        if (!clock.listeners.size) clearInterval(clock.timer);
      };
    },
    [step],
  );
  return useSyncExternalStore(subscribe, () => clock.now);
}
