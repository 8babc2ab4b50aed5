/** Everything that the logs know of: a noun, and what is done to it. The console has a text for each. */

/** In the platform's log, also of what concerns a tenant: its people's signing in, its keys, what is done to it as a whole. */
export const PLATFORM_ACTIONS = [
  'tenant.provision',
  'tenant.activate',
  'tenant.update',
  'tenant.suspend',
  'tenant.remove',
  'tenant.impersonate',
  'tenant.retry_provisioning',
  'tenant.cancel_provisioning',
  'tenant.migrate',
  'tenant.move',
  'tenant.change_server',
  'tenant.cancel_move',
  'tenant.undo_move',
  'tenant.finish_move',
  'tenant.abandon_move',
  'tenant.export',
  'tenant.export_download',
  'tenant.archive',
  'tenant.archived',
  'tenant.unarchive',
  'tenant.unarchived',
  'tenant.schedule_purge',
  'tenant.cancel_purge',
  'tenant.purge',
  'tenant.drop_left',
  'tenant.restore',
  'user.login',
  'user.login_failed',
  'user.login_refused',
  'user.create',
  'user.impersonate',
  'user.suspend',
  'user.activate',
  'user.reset_password',
  // Of the agent's account, which is the control plane's; what else an agent is, is told in the tenant's log.
  'agent.update',
  'super_admin.login',
  'super_admin.login_failed',
  'super_admin.create',
  'super_admin.reset_password',
  'super_admin.delete',
  'upgrade.start',
  'upgrade.pause',
  'upgrade.resume',
  'upgrade.cancel',
  'upgrade.retry',
  'impersonation.end',
  'session.end',
  'session.end_others',
  'session.renew',
  'database_server.register',
  'database_server.update',
  'database_server.remove',
  'api_key.create',
  'api_key.revoke',
  'signing_key.rotate',
  'platform.restore',
  'platform.change_secret',
] as const;

export type PlatformAction = (typeof PLATFORM_ACTIONS)[number];

/** In a tenant's own log: what its people do inside it. */
export type TenantAction =
  | `agent.${'create' | 'update' | 'delete' | 'status'}`
  | `role.${'create' | 'update' | 'delete'}`
  | `division.${'create' | 'update' | 'delete' | 'assign_agents' | 'remove_agents'}`
  | `exception.${'create' | 'import' | 'update' | 'delete' | 'opt_in' | 'opt_out'}`
  | `working_hours.${'update' | 'delete'}`
  | 'timezone.update';
