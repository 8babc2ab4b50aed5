/** What users of a tenant may do, by role (contract section 6). */

/** Codes that operations ask for. */
export type TenantPermission = 'settings.manage' | 'divisions.view' | 'divisions.manage';

/** The rights of the three system roles, which every tenant has; an admin has every right there is. */
export const SYSTEM_ROLES: Readonly<Record<string, readonly string[]>> = {
  admin: [
    'agents.manage',
    'analytics.view',
    'campaigns.manage',
    'developer.access',
    'divisions.manage',
    'divisions.view',
    'logs.view',
    'roles.manage',
    'settings.manage',
  ],
  supervisor: ['analytics.view', 'developer.access', 'divisions.manage', 'divisions.view', 'logs.view'],
  agent: [],
};

/** Whether a role gives a permission. */
export const mayInTenant = (role: string, permission: TenantPermission): boolean =>
  Object.hasOwn(SYSTEM_ROLES, role) && SYSTEM_ROLES[role]!.includes(permission);
