/** What an abandoned move could not do on the server that its tenant is on is done when that one is back. */
import { LockMode } from '@mikro-orm/postgresql';
import type { Services } from '../../context.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { ENDED_MOVES, MoveState, TenantMove } from '../../entities/control/tenant-move.ts';
import { endOthers, release } from './remove-steps.ts';
import { MoveSessions } from './sessions.ts';
import { isItself } from './standing.ts';
import { administer } from './step.ts';
import { tellOfMove } from './told.ts';

/** How often it is looked for. Milliseconds. */
export const GIVE_BACK_MS = 5000;

/** A gateway of the former version beside this one goes by the two lines alone, and does not know of the column. */
const AWAITS_RELEASE = '(awaits_release or jsonb_array_length(left_behind) = 2)';
const isOfBoth = ({ leftBehind }: TenantMove) => leftBehind?.length === 2;

export async function giveBack(services: Services): Promise<void> {
  const { rows } = await services.control.pool.query<{ orgId: string }>(
    `select org_id as "orgId" from tenant_moves where ${AWAITS_RELEASE} and state = any($1)`,
    [ENDED_MOVES],
  );
  for (const { orgId } of rows) {
    const server = await services.servers.find(orgId);
    if (!server || server.isAway) continue;
    await server
      .whileUp((away) => giveBackOn(services, server, orgId, away))
      .catch((error: unknown) =>
        services.log.warn({ orgId, err: error }, 'what an abandoned move left is not removed yet; it is tried again'),
      );
  }
}

/** With the row of the move locked: another move of the tenant waits. */
async function giveBackOn(services: Services, server: TenantCluster, orgId: string, away: AbortSignal): Promise<void> {
  const name = server.nameFor(orgId);
  await services.control.orm.em.fork().transactional(async (em) => {
    const move = await em.findOne(TenantMove, { orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!move || !(move.awaitsRelease || isOfBoth(move)) || !ENDED_MOVES.includes(move.state)) return;
    const { serverId } = await em.findOneOrFail(TenantDatabase, { orgId });
    const keptId = move.state === MoveState.FINISHED ? move.targetId : move.sourceId;
    // One that was restored elsewhere since has nothing to be given back.
    if (serverId !== server.id || serverId !== keptId) return;
    const sessions = new MoveSessions({ orgId, number: move.attempt, check: async () => {} });
    const letGo = () => sessions.abandon();
    away.addEventListener('abort', letGo, { once: true });
    try {
      const client = await administer({ sessions }, server);
      if (!(await isItself(em, client, server.id, name))) return;
      await release({ sessions, name }, server);
      await endOthers(client, name);
      if (isOfBoth(move)) move.leftBehind = move.leftBehind!.slice(1);
      move.awaitsRelease = false;
      await em.flush();
      await tellOfMove(em, move);
    } finally {
      away.removeEventListener('abort', letGo);
      await sessions.close();
    }
    services.log.info(
      { orgId, server: server.name },
      'what an abandoned move left is removed: the tenant is written again',
    );
  });
}
