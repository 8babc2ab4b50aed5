/** What can be done to an account. Each changes it, and says why its older tokens are dead now, if they are. */
import { nowDate } from '../clock.ts';
import type { Identity } from '../entities/control/identity.ts';
import type { RevocationReason } from '../entities/control/revocation.ts';

type Change = RevocationReason | undefined;

export function setPassword(identity: Identity, passwordHash: string): Change {
  identity.passwordHash = passwordHash;
  identity.tokenVersion += 1;
  return 'credentials_changed';
}

/** Keeps its owner out; doing it again changes nothing. */
export function suspend(identity: Identity): Change {
  if (identity.suspendedAt) return undefined;
  identity.suspendedAt = nowDate();
  identity.tokenVersion += 1;
  return 'user_suspended';
}

/** Lets its owner in again, with a new sign-in; doing it again changes nothing. */
export function activate(identity: Identity): Change {
  if (!identity.suspendedAt) return undefined;
  identity.suspendedAt = null;
  return 'credentials_changed';
}
