/** How moves stand, as they are read and told. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Context } from '../../context.ts';
import { query } from '../../db/control.ts';
import type { TenantMove } from '../../entities/control/tenant-move.ts';
import { publish } from '../../live/event-log.ts';
import type { Feed } from '../../live/feed.ts';
import { type Followed, follow, NEWEST_EVENT } from '../../live/follow.ts';
import { getTenant } from '../organizations.ts';

/** A move as everybody may see it. Instants as text, in events and in what is read alike. */
export type ToldMove = Pick<
  TenantMove,
  | 'sourceId'
  | 'targetId'
  | 'state'
  | 'attempt'
  | 'steps'
  | 'progress'
  | 'maxReadOnlySeconds'
  | 'readOnlyMs'
  | 'abandonedFor'
  | 'leftBehind'
> & { createdAt: string | Date; readOnlySince?: string | Date | null; finishedAt?: string | Date | null };

/** To be called last in the transaction of the change. */
export async function tellOfMove(em: EntityManager, move: TenantMove): Promise<void> {
  await em.flush();
  await publish(em, 'move', { tenantId: move.orgId, move: asTold(move) });
}

function asTold(move: TenantMove): ToldMove {
  const { sourceId, targetId, state, attempt, steps, progress, maxReadOnlySeconds } = move;
  const { readOnlySince, readOnlyMs, abandonedFor, leftBehind, createdAt, finishedAt } = move;
  const what = { sourceId, targetId, state, attempt, steps, progress, maxReadOnlySeconds };
  return { ...what, readOnlySince, readOnlyMs, abandonedFor, leftBehind, createdAt, finishedAt };
}

const COLUMNS = `m.org_id as "orgId", m.source_id as "sourceId", m.target_id as "targetId", m.state, m.attempt, m.steps, m.progress,
  m.max_read_only_seconds as "maxReadOnlySeconds", m.read_only_since as "readOnlySince", m.read_only_ms as "readOnlyMs",
  m.abandoned_for as "abandonedFor", m.left_behind as "leftBehind",
  m.created_at as "createdAt", m.finished_at as "finishedAt"`;

const movesOfTenants = query<ToldMove & { orgId: string }>(
  'moves_of',
  `select ${COLUMNS} from tenant_moves m where m.org_id = any($1)`,
);
const moveNow = query<ToldMove & { orgId: string | null; seq: number }>(
  'move_now',
  `select ${COLUMNS}, newest.seq from (select ${NEWEST_EVENT} as seq) newest left join tenant_moves m on m.org_id = $1`,
);

/** The latest move of each tenant, in the request's transaction if it is in one. */
export async function movesOf(ctx: Context, orgIds: readonly string[]): Promise<Map<string, ToldMove>> {
  return new Map((await ctx.rows(movesOfTenants, [orgIds])).map((move) => [move.orgId, move]));
}

/** What a follower is told: the move, or that there has been none. */
export interface MoveNow {
  move?: ToldMove;
}

export type MoveFeed = Feed<Followed<'move', MoveNow>>;

/** How a tenant's move stands, then every change of it. @throws {AppError} not_found, validation_failed */
export async function followMove(ctx: Context, tenantId: string, after?: number | null): Promise<MoveFeed> {
  if (after == null) await getTenant(ctx, tenantId);
  return follow(ctx.services, {
    topic: 'move',
    tenantId,
    after,
    overflow: ctx.tooSlow,
    async snapshot(): Promise<{ seq: number; now: MoveNow }> {
      const [{ seq, ...move }] = (await ctx.rows(moveNow, [tenantId])) as [
        ToldMove & { orgId: string | null; seq: number },
      ];
      return { seq, now: { move: move.orgId ? move : undefined } };
    },
  });
}
