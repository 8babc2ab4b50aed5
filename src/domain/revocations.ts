/**
 * Which tokens are dead before their end, known to every process without asking a database: each account has a version,
 * a token carries the version that it was made under, and a change of version reaches every process by the event log.
 */
import type { EntityManager } from '@mikro-orm/postgresql';
import { nowDate } from '../clock.ts';
import { Revocation, type RevocationReason } from '../entities/control/revocation.ts';
import { Session } from '../entities/control/session.ts';
import type { EventBus } from '../live/event-bus.ts';
import { publishAll, type Topics } from '../live/event-log.ts';

/** Longer than any token lives; after that a row has nothing left to revoke. */
export const REVOCATION_KEPT_HOURS = 25;

export class Revocations {
  readonly #versions = new Map<string, { version: number; reason: RevocationReason; until: number }>();

  /** Follows the event log, then loads what stands: in this order nothing falls between. */
  async start(bus: EventBus, em: EntityManager): Promise<void> {
    bus.on('revocation', ({ payload }) => this.#apply(payload));
    for (const row of await em.findAll(Revocation)) this.#apply(row);
  }

  /** Why a token of this subject, made under this version, is dead; undefined while it lives. */
  reason(subjectId: string, version: number): RevocationReason | undefined {
    const known = this.#versions.get(subjectId);
    return known && version < known.version ? known.reason : undefined;
  }

  #apply({ subjectId, version, reason }: Topics['revocation']): void {
    const known = this.#versions.get(subjectId);
    if (known && known.version > version) return;
    const now = Date.now();
    // Oldest first, because a Map keeps the order of insertion.
    this.#versions.delete(subjectId);
    this.#versions.set(subjectId, { version, reason, until: now + REVOCATION_KEPT_HOURS * 3_600_000 });
    for (const [id, { until }] of this.#versions) {
      if (until > now) break;
      this.#versions.delete(id);
    }
  }
}

/**
 * Kills the tokens that the subject has so far, and ends its sessions. Goes last in the transaction that raised its version.
 */
export function revoke(em: EntityManager, payload: Topics['revocation']): Promise<void> {
  return revokeAll(em, [payload]);
}

/** The same for several subjects at once; none does nothing. */
export async function revokeAll(em: EntityManager, payloads: Topics['revocation'][]): Promise<void> {
  if (payloads.length === 0) return;
  const ids = payloads.map(({ subjectId }) => subjectId);
  const theirs = (['id', 'subjectId', 'orgId', 'impersonatorId'] as const).map((field) => ({ [field]: { $in: ids } }));
  const revokedAt = nowDate();
  await em.nativeUpdate(Session, { $or: theirs, endedAt: null }, { endedAt: revokedAt });
  await em.upsertMany(
    Revocation,
    payloads.map((payload) => ({ ...payload, revokedAt })),
  );
  await publishAll(em, 'revocation', payloads);
}
