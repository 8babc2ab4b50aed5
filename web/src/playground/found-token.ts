/** A token in an answer, such as of `login` or `impersonateTenant`, is offered to be used for what is run next. */
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let found: string | undefined;

export function setFoundToken(token: string | undefined): void {
  found = token;
  for (const listener of listeners) listener();
}

export function useFoundToken(): string | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => found,
  );
}

export function noticeToken(data: unknown): void {
  const tokens = Object.values((data as Record<string, { token?: unknown } | null> | null | undefined) ?? {})
    .map((field) => field?.token)
    .filter((token) => typeof token === 'string');
  setFoundToken(tokens[0]);
}
