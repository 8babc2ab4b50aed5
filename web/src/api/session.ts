/** Who is signed in, in this tab: kept over a reload, gone with the tab. */
import { useSyncExternalStore } from 'react';

/** Somebody who signed in. */
export interface SignedIn {
  kind: 'platform' | 'tenant';
  token: string;
  email: string;
  /** Of a tenant's user. */
  tenantSlug?: string;
  tenantName?: string;
}

/** A super admin in a tenant; ends by itself after fifteen minutes. */
export interface Impersonation {
  token: string;
  sessionId?: string;
  tenantId: string;
  tenantSlug: string;
  tenantName: string;
  /** As whom. */
  email: string;
  role: string;
  reason?: string;
  readOnly: boolean;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

export interface Session {
  signedIn?: SignedIn;
  impersonation?: Impersonation;
  /** Why the last session ended, to be told on the sign-in screen. */
  ended?: Ended;
  /** An impersonation is over; to be told once, after the return to oneself. */
  returned?: 'ended' | 'over';
}

export type Ended = 'expired' | 'signedOut' | 'userSuspended' | 'tenantSuspended';

const KEY = 'omnistream.session';
/** As what somebody signed in here last: outlives the tab. */
const KIND_KEY = 'omnistream.kind';
const listeners = new Set<() => void>();
let current: Session = read();

function read(): Session {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Session;
  } catch {
    return {};
  }
}

export function setSession(session: Session): void {
  current = session;
  sessionStorage.setItem(KEY, JSON.stringify(session));
  for (const listener of listeners) listener();
}

export const getSession = (): Session => current;

/** Whether nobody has been signed in in this tab yet. */
export const isNewTab = (): boolean => sessionStorage.getItem(KEY) === null;

/** The token that requests carry: an impersonation's before one's own. */
export const tokenOf = ({ signedIn, impersonation }: Session): string | undefined =>
  impersonation?.token ?? signedIn?.token;

/** Whose side of the product is seen. */
export const sideOf = ({ signedIn, impersonation }: Session): 'platform' | 'tenant' | undefined =>
  impersonation ? 'tenant' : signedIn?.kind;

/**
 * Drops what is no good any more: the impersonation, else the sign-in.
 *
 * @param token the one that was refused; another one may be in use by now.
 */
export function dropCredentials(token: string, ended: Ended): void {
  if (token !== tokenOf(current)) return;
  // To a super admin it says how somebody else stands.
  if (ended !== 'expired' && sideOf(current) === 'platform') return;
  const { signedIn, impersonation } = current;
  if (impersonation) setSession({ signedIn, returned: 'over' });
  else if (signedIn) setSession({ ended });
}

/** As what whoever signs in will want to. */
export const lastKind = (): SignedIn['kind'] => (localStorage.getItem(KIND_KEY) === 'tenant' ? 'tenant' : 'platform');

export const keepKind = (kind: SignedIn['kind']): void => localStorage.setItem(KIND_KEY, kind);

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
