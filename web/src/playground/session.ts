/** Who is signed in on this page: a super admin, somebody of a company, or both; and as whom requests go. */
import { useSyncExternalStore } from 'react';
import { PlaygroundMeDocument, PlaygroundSignOutDocument } from '../documents.gen.ts';
import { AskError, ask } from './ask.ts';

export type Side = 'platform' | 'company';

export interface Identity {
  token: string;
  name: string;
  email: string;
  role: string;
  tenantSlug?: string;
}

export interface Session {
  /** As whom requests go; without it, as nobody. */
  active?: Side;
  platform?: Identity;
  company?: Identity;
  /** Something that happened to the session without anybody's asking. */
  notice?: string;
}

const KEY = 'omnistream.playground.session';
const listeners = new Set<() => void>();
let current: Session = read();

function read(): Session {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Session;
  } catch {
    return {};
  }
}

function set(session: Session): void {
  current = session;
  sessionStorage.setItem(KEY, JSON.stringify(session));
  for (const listener of listeners) listener();
}

export const getSession = (): Session => current;

export const activeIdentity = ({ active, ...identities }: Session): Identity | undefined =>
  active && identities[active];

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

export function activate(active: Side | undefined): void {
  set({ ...current, active, notice: undefined });
}

/** Signs in with a token: whose it is, the gateway says. */
export async function adopt(token: string): Promise<Identity> {
  const { me } = await ask(PlaygroundMeDocument, {}, token);
  const { name, email, role } = me;
  const side: Side = role === 'super_admin' ? 'platform' : 'company';
  const identity: Identity = { token, name, email, role, tenantSlug: me.tenantSlug ?? undefined };
  set({ ...current, [side]: identity, active: side, notice: undefined });
  return identity;
}

export async function signOut(side: Side): Promise<void> {
  const token = current[side]?.token;
  drop(side);
  // A token that is dead already is as good as signed out.
  if (token) await ask(PlaygroundSignOutDocument, {}, token).catch(() => {});
}

/** Looks whether those who are signed in still are; drops those who are not. */
export async function confirm(): Promise<void> {
  for (const side of ['platform', 'company'] as const) {
    const identity = current[side];
    if (!identity) continue;
    try {
      await ask(PlaygroundMeDocument, {}, identity.token);
    } catch (error) {
      const dead = error instanceof AskError && ENDED.has(error.code ?? '');
      if (dead && current[side] === identity) drop(side, `The session of ${identity.email} has ended: sign in again.`);
    }
  }
}

export const ENDED: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'USER_SUSPENDED', 'TENANT_SUSPENDED']);

function drop(side: Side, notice?: string): void {
  const other: Side = side === 'platform' ? 'company' : 'platform';
  const next = current[other] && other;
  set({ [other]: current[other], active: current.active === side ? next : current.active, notice });
}
