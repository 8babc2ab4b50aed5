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
  /** Why the last session ended, to be told on the sign-in screen: a key of the `signIn` texts. */
  ended?: 'expired' | 'signedOut';
}

const KEY = 'omnistream.session';
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

/** The token that requests carry: an impersonation's before one's own. */
export const tokenOf = ({ signedIn, impersonation }: Session): string | undefined =>
  impersonation?.token ?? signedIn?.token;

/** Whose side of the product is seen. */
export const sideOf = ({ signedIn, impersonation }: Session): 'platform' | 'tenant' | undefined =>
  impersonation ? 'tenant' : signedIn?.kind;

/** Drops what is no good any more: the impersonation, else the sign-in. */
export function dropCredentials(ended: Session['ended']): void {
  const { signedIn, impersonation } = current;
  setSession(impersonation ? { signedIn } : { ended: signedIn && ended });
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
