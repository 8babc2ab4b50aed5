/** Which entries are seen: kept in the address, so that what was found can be sent to somebody. */
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { AuditEntryFieldsFragment, AuditLogFilter } from '../../documents.gen.ts';

/** As it stands in the address. */
export interface Choice {
  search: string;
  /** One action, or all of a noun: `tenant.*`. */
  action: string;
  actorId: string;
  tenantId: string;
  /** Days such as 2026-11-24, by the calendar on this desk; both are included. */
  from: string;
  to: string;
}

const PARAMS = { search: 'q', action: 'action', actorId: 'actor', tenantId: 'tenant', from: 'from', to: 'to' } as const;
const KEYS = Object.keys(PARAMS) as (keyof Choice)[];
const FORMS: Partial<Record<keyof Choice, RegExp>> = {
  actorId: /^[0-9a-f-]{36}$/i,
  tenantId: /^[0-9a-f-]{36}$/i,
  from: /^\d{4}-\d\d-\d\d$/,
  to: /^\d{4}-\d\d-\d\d$/,
};

export function useChoice() {
  const [params, setParams] = useSearchParams();
  const choice = useMemo(
    () =>
      Object.fromEntries(
        KEYS.map((key) => {
          const value = params.get(PARAMS[key]) ?? '';
          return [key, FORMS[key]?.test(value) === false ? '' : value];
        }),
      ) as unknown as Choice,
    [params],
  );
  const choose = (part: Partial<Choice>) =>
    setParams(
      (old) => {
        for (const [key, value] of Object.entries(part)) {
          if (value) old.set(PARAMS[key as keyof Choice], value);
          else old.delete(PARAMS[key as keyof Choice]);
        }
        return old;
      },
      { replace: true },
    );
  return { choice, choose, clear: () => setParams({}, { replace: true }) };
}

export const isAnything = (choice: Choice): boolean => KEYS.every((key) => !choice[key]);

const midnight = (day: string, later = 0): string => {
  const [year, month, date] = day.split('-').map(Number);
  return new Date(year!, month! - 1, date! + later).toISOString();
};

export function filterOf({ search, action, actorId, tenantId, from, to }: Choice): AuditLogFilter {
  return {
    search: search || undefined,
    action: action || undefined,
    actorId: actorId || undefined,
    tenantId: tenantId || undefined,
    from: from ? midnight(from) : undefined,
    to: to ? midnight(to, 1) : undefined,
  };
}

/** Whether an entry that just came belongs to what is seen; undefined where only the gateway can tell. */
export function belongs(entry: AuditEntryFieldsFragment, filter: AuditLogFilter): boolean | undefined {
  const { action, actorId, tenantId, from, to, search } = filter;
  const noun = action?.endsWith('.*') ? action.slice(0, -1) : undefined;
  if (action && (noun ? !entry.action.startsWith(noun) : entry.action !== action)) return false;
  if (actorId && entry.actorId !== actorId) return false;
  if (tenantId && entry.tenantId !== tenantId) return false;
  const at = Date.parse(entry.createdAt);
  if ((from && at < Date.parse(from)) || (to && at >= Date.parse(to))) return false;
  return search ? undefined : true;
}
