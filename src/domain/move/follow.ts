/** What every process does when a tenant is moved: keeps writes back while it is not written, and goes to where it is. */
import type { ControlDatabase } from '../../db/control.ts';
import type { TenantDatabases } from '../../db/tenants.ts';
import { MoveState } from '../../entities/control/tenant-move.ts';
import type { EventBus } from '../../live/event-bus.ts';

/** To be called when the bus has been started, so that nothing is told between the two. */
export async function followMoves(bus: EventBus, { pool }: ControlDatabase, tenants: TenantDatabases): Promise<void> {
  /** Whom more was told of than is being read. */
  let told: Set<string> | undefined = new Set();
  bus.on('move', ({ payload: { tenantId, move } }) => {
    told?.add(tenantId);
    const wasHeld = tenants.holds(tenantId);
    if (move.readOnlySince) tenants.hold(tenantId);
    // Sessions from before the window write where nobody reads any more, and those of the window do not write.
    if (move.readOnlySince || wasHeld || move.state !== MoveState.COPYING) tenants.forget(tenantId);
    if (!move.readOnlySince) tenants.release(tenantId);
  });
  // It may be on another server since.
  bus.on('restore', ({ payload: { tenantId } }) => tenants.forget(tenantId));
  const { rows } = await pool.query<{ id: string }>(
    'select org_id as id from tenant_moves where read_only_since is not null',
  );
  for (const { id } of rows) if (!told.has(id)) tenants.hold(id);
  told = undefined;
}
