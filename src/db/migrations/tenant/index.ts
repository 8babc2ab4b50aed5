import { createHash } from 'node:crypto';
import { Tenant0001Initial } from './0001-initial.ts';
import { Tenant0002Schedules } from './0002-schedules.ts';
import { Tenant0003AuditChain } from './0003-audit-chain.ts';
import { Tenant0004Roles } from './0004-roles.ts';

/** In the order in which they are applied; never changed once released. */
export const tenantMigrations = [Tenant0001Initial, Tenant0002Schedules, Tenant0003AuditChain, Tenant0004Roles];

/** The number of the newest one: what `schema_version` is when a tenant's database is up to date. */
export const TENANT_SCHEMA_VERSION = tenantMigrations.length;

/** Says whether two gateways make the same tables: eight hex digits of what the migrations execute, however compiled. */
export const TENANT_SCHEMA_DIGEST = createHash('sha256')
  .update(JSON.stringify(tenantMigrations.flatMap(queriesOf)))
  .digest('hex')
  .slice(0, 8);

function queriesOf(Migration: (typeof tenantMigrations)[number]): unknown[] {
  // Only executing needs the driver.
  const migration = new Migration(undefined as never, undefined as never);
  migration.up();
  return migration.getQueries();
}
