/** What tenants' databases and roles are called. An installation's code keeps its names apart from another's. */
import { TENANT_SCHEMA_DIGEST, TENANT_SCHEMA_VERSION } from './migrations/tenant/index.ts';

/** Of a tenant's database and of its login role. Opaque: names over 63 bytes would be cut, and a slug tells who it is. */
export const tenantName = (code: string, orgId: string): string => `${groupName(code)}_${orgId.replaceAll('-', '')}`;

/** SQL pattern of what follows the group's name and `_` in it: the tenant's id. */
export const TENANT_TAIL = '[0-9a-f]{32}$';

/** A role without login that may read and write a tenant's tables; each tenant's login role is a member. */
export const groupName = (code: string): string => `t_${code}`;

/** The session by which each of an installation's gateways watches a server, at any time: who is in tenants' databases comes and goes. */
export const watcherName = (code: string): string => `omnistream ${groupName(code)}`;

/** Every template of an installation begins with this. */
export const templatePrefix = (code: string): string => `${groupName(code)}_template_`;

/** Every database that is prepared for a tenant to come begins with this. */
export const warmPrefix = (code: string): string => `${groupName(code)}_warm_`;

/** One that is ready to be taken. @param seeds digest of what it starts with besides its tables. */
export const warmName = (code: string, seeds: string, random: string): string =>
  `${warmPrefix(code)}${TENANT_SCHEMA_VERSION}_${TENANT_SCHEMA_DIGEST}_${seeds}_${random}`;

/** One that is not ready yet. */
export const preparingName = (code: string, random: string): string => `${warmPrefix(code)}preparing_${random}`;

/** The database that this version of the gateway copies for a new tenant. */
export const templateName = (code: string): string =>
  `${templatePrefix(code)}${TENANT_SCHEMA_VERSION}_${TENANT_SCHEMA_DIGEST}`;

/** PostgreSQL cuts names after 63 bytes. */
const beside = (name: string, what: string) => `${name.slice(0, 63 - what.length)}${what}`;

/** What a restore fills, before it takes the place of the database of that name. */
export const draftName = (name: string): string => beside(name, '_restore');

/** What a restored database has taken the place of, until it is dropped. */
export const formerName = (name: string): string => beside(name, '_former');

/** What a move makes, before it has the name of the tenant's database. */
export const arrivingName = (name: string): string => beside(name, '_arriving');
