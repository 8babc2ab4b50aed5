/** What commands on whole tenants work with, and how they end. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { interruptible, neededKeys, refusalsTold, withInstallation } from '../command-line.ts';
import { makeComponents } from '../components/index.ts';
import { ConfigError, readConfig } from '../config.ts';
import { sqlOf } from '../db/control.ts';
import { Queue } from '../db/queue.ts';
import { bySystem } from '../domain/audit.ts';
import { prepare } from '../domain/backup/prepare.ts';
import { KeptFiles } from '../domain/kept-files.ts';
import type { Asker } from '../domain/offboarding/offboarding.ts';
import { type OffboardingServices, offboardingsOf } from '../domain/offboarding/runs.ts';
import type { TenantRow } from '../domain/organizations.ts';
import { createLog } from '../log.ts';
import { findTenant } from './find-tenant.ts';

export interface AtWork {
  services: OffboardingServices & { queue: Queue };
  /** Of the control-plane database. */
  databaseUrl: string;
  tenant: TenantRow;
  signal: AbortSignal;
}

/** What a command does is the platform's own doing: nobody has signed in. */
export const byCommand = ({ services }: AtWork): Asker => ({
  ...bySystem,
  em: services.control.orm.em.fork(),
  services,
});

/** @throws {ConfigError} when the command line cannot be used. */
export function argumentsOf<T extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: T,
  usage: string,
) {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...options, help: { type: 'boolean' } },
      allowPositionals: true,
    });
    if ((values as { help?: boolean }).help || positionals.length !== 1) throw new Error('');
    return {
      values: values as ReturnType<typeof parseArgs<{ args: string[]; options: T }>>['values'],
      slug: positionals[0]!,
    };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${usage}`.trim());
  }
}

/** Opens the installation for one tenant. @returns the exit code. @throws {ConfigError} */
export async function onTenant(slug: string, work: (at: AtWork) => Promise<number>): Promise<number> {
  const config = readConfig(process.env);
  return interruptible((signal) =>
    withInstallation(config, async (found) => {
      const { databaseUrl } = found;
      const keys = neededKeys(found);
      const { control, servers, close } = await prepare(databaseUrl, keys);
      const log = createLog('silent');
      const queue = new Queue(databaseUrl, log, true);
      const components = await makeComponents(config.components);
      try {
        await queue.start();
        const tenant = await findTenant(control, slug);
        const kept = new KeptFiles(config, servers.home.code, components.objects);
        const services = { control, servers, components, kept, keys, log, queue, tenants: NO_POOLS };
        return await refusalsTold(
          () => work({ services, databaseUrl, tenant, signal }),
          ({ message, details = [] }) => [message, ...details.map((detail) => `It ${detail.message}.`)].join(' '),
        );
      } finally {
        await queue.stop(5000);
        await components.close();
        await close();
      }
    }),
  );
}

/** A command has no connections open to a tenant that it could forget. */
const NO_POOLS = { forget() {} } as unknown as OffboardingServices['tenants'];

/** How the latest run of the tenant stands. */
export const runOf = async ({ services, tenant }: AtWork) =>
  (await sqlOf(services.control.pool).rows(offboardingsOf, [[tenant.id]]))[0];
