/** A restore that was killed between its two commits is brought to its end by a gateway: until then nobody gets into the tenant's database. */
import type pg from 'pg';
import type { Services } from '../../context.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { LOCKS } from '../../db/locks.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { draftName, groupName, TENANT_TAIL } from '../../db/tenant-names.ts';
import { openWriter } from './drafts.ts';
import { finishSwitch, RESTORED, settleSwitch } from './settle-switch.ts';

/** How often they are looked for. Milliseconds. */
export const SETTLE_MS = 5000;

type SettleServices = Pick<Services, 'control' | 'log' | 'servers'>;

interface Marked {
  name: string;
  orgId: string;
}

/** A tenant's id is the end of its database's name. */
const MARKED = `
  select datname::text as name, substring(datname from '${TENANT_TAIL}')::uuid::text as "orgId"
    from pg_shdescription join pg_database d on d.oid = objoid
   where classoid = 'pg_database'::regclass and starts_with(description, $1) and datname ~ ('^' || $2 || '_${TENANT_TAIL}')`;

export async function settleRestores(services: SettleServices): Promise<void> {
  for (const server of services.servers.all()) {
    // On the home server a restore is one transaction.
    if (server.isHome || server.isAway) continue;
    await server
      .whileUp((away) => settleOn(services, server, away))
      .catch((err: unknown) =>
        services.log.warn({ server: server.name, err }, 'a restore may have been cut off, and is looked at again'),
      );
  }
}

async function settleOn(services: SettleServices, server: TenantCluster, away: AbortSignal): Promise<void> {
  const { rows } = await server.pool.query<Marked>(MARKED, [RESTORED, groupName(server.code)]);
  for (const marked of rows) {
    const opened: pg.Client[] = [];
    const open = async (url: string) => {
      const client = await openWriter(url, url === server.url ? away : undefined);
      opened.push(client);
      return client;
    };
    try {
      await settle(services, server, marked, open);
    } finally {
      await Promise.all(opened.map((client) => client.end().catch(() => {})));
    }
  }
}

async function settle(
  { control, log }: SettleServices,
  { name: serverName, url }: TenantCluster,
  { name, orgId }: Marked,
  open: (url: string) => Promise<pg.Client>,
): Promise<void> {
  const helper = await open(url);
  const lock = 'select pg_try_advisory_lock($1, hashtext($2)) as free';
  const { rows } = await helper.query<{ free: boolean }>(lock, [LOCKS.tenantDatabase, name]);
  // Else the restore is at work still.
  if (!rows[0]?.free) return;
  const sessions = { control: await open(control.url), renamer: await open(url), helper };
  const outcome = await settleSwitch(sessions, orgId, name);
  // The restore has come to its end since its mark was seen.
  if (outcome === 'none') return;
  if (outcome === 'holds') {
    await finishSwitch(helper, name);
    log.info({ orgId, server: serverName }, 'a restore that was cut off holds, and is ended');
  } else {
    await dropDatabase(helper, draftName(name));
    log.info({ orgId, server: serverName }, 'a restore that was cut off is undone: the tenant is as it was before');
  }
}
