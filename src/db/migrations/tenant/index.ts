import { createHash } from 'node:crypto';
import { statementsOf } from '../frozen.ts';
import { Tenant0001Initial } from './0001-initial.ts';
import { Tenant0002Schedules } from './0002-schedules.ts';
import { Tenant0003AuditChain } from './0003-audit-chain.ts';
import { Tenant0004Roles } from './0004-roles.ts';
import { Tenant0005Checksums } from './0005-checksums.ts';

/** In the order in which they are applied; never changed once released (checksums.gen.ts). */
export const tenantMigrations = [
  Tenant0001Initial,
  Tenant0002Schedules,
  Tenant0003AuditChain,
  Tenant0004Roles,
  Tenant0005Checksums,
];

/** The number of the newest one: what `schema_version` is when a tenant's database is up to date. */
export const TENANT_SCHEMA_VERSION = tenantMigrations.length;

/**
 * The oldest version that everything works on. Between it and the newest one gateways serve a tenant as ever, while its
 * upgrade is still to come (docs/upgrades.md).
 */
export const SERVED_FROM_VERSION = TENANT_SCHEMA_VERSION - 1;

/** Says whether two gateways make the same tables: eight hex digits of what the migrations execute, however compiled. */
export const TENANT_SCHEMA_DIGEST = createHash('sha256')
  .update(JSON.stringify(tenantMigrations.flatMap(statementsOf)))
  .digest('hex')
  .slice(0, 8);
