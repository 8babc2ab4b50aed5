/** What an installation needs besides its rows before tenants are restored into it, and a gateway is started on it. */

import { ConfigError } from '../../config.ts';
import { type ControlDatabase, openControl } from '../../db/control.ts';
import { DatabaseServers } from '../../db/database-servers.ts';
import { settleGenerations } from '../../db/key-generations.ts';
import type { Keys } from '../../db/keys.ts';
import { LOCKS } from '../../db/locks.ts';
import { controlMigrations } from '../../db/migrations/control/index.ts';
import { Queue } from '../../db/queue.ts';
import { createLog } from '../../log.ts';
import { installationOf, schemaVersionOf } from './tables.ts';

export interface Prepared {
  control: ControlDatabase;
  servers: DatabaseServers;
  close(): Promise<void>;
}

/** @throws {ConfigError} where there is no installation, or one of another version or secret. */
export async function prepare(databaseUrl: string, keys: Keys): Promise<Prepared> {
  const log = createLog('warn');
  const control = await openControl(databaseUrl, log, 4);
  try {
    const client = await control.pool.connect();
    try {
      const code = await installationOf(client);
      if (!code) {
        throw new ConfigError(
          'There is no installation to restore a tenant into: restore the control plane as well, from the folder of a whole backup.',
        );
      }
      if ((await schemaVersionOf(client)) !== controlMigrations.length) {
        throw new ConfigError(
          'The control plane is of another version: start the gateway of this version on it first.',
        );
      }
      await client.query('select pg_advisory_lock($1, 0)', [LOCKS.setup]);
      await settleGenerations(client, keys);
      const servers = await DatabaseServers.open({ control, keys, code, log });
      await servers.home.closeControl();
      await servers.home.ensureTemplate();
      await client.query('select pg_advisory_unlock($1, 0)', [LOCKS.setup]);
      return { control, servers, close: () => closeAll(servers, control) };
    } finally {
      client.release(true);
    }
  } catch (error) {
    await control.close();
    throw error;
  }
}

async function closeAll(servers: DatabaseServers, control: ControlDatabase): Promise<void> {
  await servers.close();
  await control.close();
}

/** No backup holds the queue: what it still had to do for the tenants of a restored control plane is sent anew. */
export async function queueAnew(databaseUrl: string): Promise<void> {
  const log = createLog('warn');
  const control = await openControl(databaseUrl, log, 4);
  const queue = new Queue(databaseUrl, log, false);
  try {
    await queue.start();
    const { rows } = await control.pool.query<{ id: string; unfinished: boolean }>(
      `select o.id, run.state is distinct from 'succeeded' as unfinished
         from organizations o left join provisioning_runs run on run.org_id = o.id`,
    );
    await control.orm.em.fork().transactional(async (em) => {
      for (const { id, unfinished } of rows) {
        if (unfinished) await queue.runNow(em, 'tenant.provision', id);
        else await queue.send(em, 'tenant.apply-limits', { orgId: id });
      }
    });
  } finally {
    await queue.stop(5000);
    await control.close();
  }
}
