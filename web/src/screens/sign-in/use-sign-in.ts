/** Signing in, as either, and what comes of it. */
import { useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { keepKind, type SignedIn, setSession } from '../../api/session.ts';
import { SuperAdminLoginDocument, TenantLoginDocument } from '../../documents.gen.ts';
import { codeOf } from '../../ui/errors.ts';

export interface Credentials {
  kind: SignedIn['kind'];
  email: string;
  password: string;
  /** The slug, once it was asked for. */
  tenant: string;
}

/** Why it failed: a key of the texts, and until when another attempt is pointless. */
export interface Refusal {
  reason: 'wrong' | 'rateLimited' | 'userSuspended' | 'tenantSuspended' | 'tenantRequired' | 'unreachable' | 'other';
  /** Milliseconds since the epoch. */
  until?: number;
}

const REASONS: Readonly<Record<string, Refusal['reason']>> = {
  UNAUTHENTICATED: 'wrong',
  VALIDATION_FAILED: 'wrong',
  RATE_LIMITED: 'rateLimited',
  USER_SUSPENDED: 'userSuspended',
  TENANT_SUSPENDED: 'tenantSuspended',
  TENANT_REQUIRED: 'tenantRequired',
  UNAVAILABLE: 'unreachable',
};

function refusalOf(error: CombinedError): Refusal {
  if (error.networkError) return { reason: 'unreachable' };
  const { retryAfter } = (error.graphQLErrors[0]?.extensions ?? {}) as { retryAfter?: number };
  return {
    reason: REASONS[codeOf(error) ?? ''] ?? 'other',
    until: retryAfter ? Date.now() + retryAfter * 1000 : undefined,
  };
}

export function useSignIn() {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();

  async function tokenOf({ kind, email, password, tenant }: Credentials): Promise<SignedIn | CombinedError> {
    if (kind === 'platform') {
      const { data, error } = await client.mutation(SuperAdminLoginDocument, { email, password }).toPromise();
      return data ? { kind, email, token: data.superAdminLogin.token } : error!;
    }
    const wish = { email, password, tenant: tenant || null };
    const { data, error } = await client.mutation(TenantLoginDocument, wish).toPromise();
    if (!data) return error!;
    const { token, tenant: own } = data.login;
    return { kind, email, token, tenantSlug: own.slug, tenantName: own.name };
  }

  const signIn = async (credentials: Credentials) => {
    setBusy(true);
    const answer = await tokenOf(credentials);
    setBusy(false);
    if ('token' in answer) {
      keepKind(answer.kind);
      setSession({ signedIn: answer });
    } else setRefusal(refusalOf(answer));
  };
  return { signIn, busy, refusal, forget: () => setRefusal(undefined) };
}
