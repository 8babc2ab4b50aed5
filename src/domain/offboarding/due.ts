/** Begins the end of tenants whose time has come, by the database's clock. */
import type { Services } from '../../context.ts';
import { query, rowsWithin } from '../../db/control.ts';
import { OffboardingKind } from '../../entities/control/offboarding.ts';
import { UNFINISHED_MOVE } from '../../entities/control/tenant-move.ts';
import { TenantChange } from '../../live/event-log.ts';
import { TENANT_COLUMNS, type TenantRow } from '../organizations.ts';
import { tellOfTenant } from '../tenant-events.ts';
import { beginRun } from './runs.ts';

export const DUE_MS = 1000;

/** Those with other work under way, or between two servers, wait for its end. */
const DUE = `o.purge_at <= now() and o.status = 'suspended' and not exists (
  select from offboarding_runs run where run.org_id = o.id and run.state not in ('succeeded', 'failed'))
  and not exists (select from tenant_moves where org_id = o.id and ${UNFINISHED_MOVE})`;

const due = query<{ id: string }>(
  'due_purges',
  `select o.id from organizations o where ${DUE} order by o.purge_at limit 100`,
);
const stillDue = query<TenantRow>(
  'still_due',
  `select ${TENANT_COLUMNS} from organizations o where o.id = $1 and ${DUE}`,
);
/** In a statement of its own: one that waits for the lock would not see what was begun meanwhile. */
const lock = query('lock_due', 'select from organizations where id = $1 for update');
const asker = query<{ email: string | null }>(
  'purge_asker',
  `select actor_email as email from audit_entries where org_id = $1 and action = 'tenant.schedule_purge' order by id desc limit 1`,
);

export async function beginDuePurges({
  control,
  queue,
  log,
}: Pick<Services, 'control' | 'log' | 'queue'>): Promise<void> {
  const { rows } = await control.pool.query<{ id: string }>({ ...due });
  for (const { id } of rows) {
    await control.orm.em.fork().transactional(async (em) => {
      // Called off, or begun by another process, since.
      await rowsWithin(em, lock, [id]);
      const [org] = await rowsWithin(em, stillDue, [id]);
      if (!org) return;
      const [by] = await rowsWithin(em, asker, [id]);
      await beginRun(em, queue, { orgId: id, kind: OffboardingKind.PURGE, requestedBy: by?.email ?? undefined });
      await tellOfTenant(em, TenantChange.UPDATED, org);
      log.info({ orgId: id, slug: org.slug }, 'the countdown of a tenant has ended: it is removed');
    });
  }
}
