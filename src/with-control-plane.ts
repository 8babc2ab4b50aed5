/** What commands work with that need the control plane and the database servers, without the rest of a gateway. */
import type { Logger } from 'pino';
import { type Installation, neededKeys } from './command-line.ts';
import { type ControlDatabase, openControl } from './db/control.ts';
import { DatabaseServers } from './db/database-servers.ts';
import type { Keys } from './db/keys.ts';
import { installationCode } from './domain/installation.ts';
import { createLog } from './log.ts';

export interface ControlPlane {
  control: ControlDatabase;
  servers: DatabaseServers;
  keys: Keys;
  log: Logger;
}

/**
 * Opens both for as long as the work takes.
 *
 * @param connections to the control database, at most.
 * @throws {ConfigError} without the secret.
 */
export async function withControlPlane<T>(
  installation: Installation,
  connections: number,
  work: (open: ControlPlane) => Promise<T>,
): Promise<T> {
  const keys = neededKeys(installation);
  const log = createLog('silent');
  const control = await openControl(installation.databaseUrl, log, connections);
  try {
    const code = await installationCode(control.orm.em.fork());
    const servers = await DatabaseServers.open({ control, keys, code, log });
    try {
      return await work({ control, servers, keys, log });
    } finally {
      await servers.close();
    }
  } finally {
    await control.close();
  }
}
