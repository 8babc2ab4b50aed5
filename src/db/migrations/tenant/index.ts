import { Tenant0001Initial } from './0001-initial.ts';

/** In the order in which they are applied; never changed once released. */
export const tenantMigrations = [Tenant0001Initial];

/** The number of the newest one: what `schema_version` is when a tenant's database is up to date. */
export const TENANT_SCHEMA_VERSION = tenantMigrations.length;
