/** What users of a tenant may do (contract section 6): the one list that roles are made of and operations ask for. */

export enum TenantPermission {
  AGENTS_MANAGE = 'agents.manage',
  ANALYTICS_VIEW = 'analytics.view',
  CAMPAIGNS_MANAGE = 'campaigns.manage',
  DATA_EXPORT = 'data.export',
  DEVELOPER_ACCESS = 'developer.access',
  DIVISIONS_MANAGE = 'divisions.manage',
  DIVISIONS_VIEW = 'divisions.view',
  LOGS_VIEW = 'logs.view',
  ROLES_MANAGE = 'roles.manage',
  SETTINGS_MANAGE = 'settings.manage',
}

/** What each allows, for people who put roles together. */
export const PERMISSION_DESCRIPTIONS: Readonly<Record<TenantPermission, string>> = {
  [TenantPermission.AGENTS_MANAGE]: 'Add, change, deactivate and delete agents, and set who is online.',
  [TenantPermission.ANALYTICS_VIEW]: 'See reports and key figures.',
  [TenantPermission.CAMPAIGNS_MANAGE]: 'Write, schedule and send campaigns.',
  [TenantPermission.DATA_EXPORT]: 'Export all data of the organization, and fetch such exports.',
  [TenantPermission.DEVELOPER_ACCESS]: 'Make and revoke API keys of their own.',
  [TenantPermission.DIVISIONS_MANAGE]: 'Add, change and delete divisions, who is in them, their hours and exceptions.',
  [TenantPermission.DIVISIONS_VIEW]: 'See divisions, their agents and their hours.',
  [TenantPermission.LOGS_VIEW]: 'See and export the activity log.',
  [TenantPermission.ROLES_MANAGE]: 'Make, change and delete roles.',
  [TenantPermission.SETTINGS_MANAGE]: "Change the organization's working hours, exceptions and timezone.",
};

export const ALL_PERMISSIONS: readonly TenantPermission[] = Object.values(TenantPermission);

/** The rights of the three system roles, which every tenant has and nobody changes. */
export const SYSTEM_ROLES: Readonly<Record<string, readonly TenantPermission[]>> = {
  admin: ALL_PERMISSIONS,
  supervisor: [
    TenantPermission.ANALYTICS_VIEW,
    TenantPermission.DEVELOPER_ACCESS,
    TenantPermission.DIVISIONS_MANAGE,
    TenantPermission.DIVISIONS_VIEW,
    TenantPermission.LOGS_VIEW,
  ],
  agent: [],
};

/** What a role allows, whatever its row in the tenant's database says of a system role. Unknown codes allow nothing. */
export function permissionsOf(role: {
  name: string;
  isSystem: boolean;
  permissions: readonly string[];
}): TenantPermission[] {
  const codes: readonly string[] = role.isSystem ? (SYSTEM_ROLES[role.name] ?? []) : role.permissions;
  return ALL_PERMISSIONS.filter((permission) => codes.includes(permission));
}
