/** The actions that the platform's log knows, by what they are done to. */
export const ACTIONS = [
  {
    noun: 'tenant',
    verbs: [
      'provision',
      'activate',
      'update',
      'suspend',
      'remove',
      'impersonate',
      'retry_provisioning',
      'cancel_provisioning',
      'migrate',
      'move',
      'change_server',
      'cancel_move',
      'undo_move',
      'finish_move',
      'abandon_move',
    ],
  },
  {
    noun: 'user',
    verbs: ['login', 'login_failed', 'login_refused', 'impersonate', 'suspend', 'activate', 'reset_password'],
  },
  { noun: 'super_admin', verbs: ['login', 'login_failed', 'create', 'reset_password', 'delete'] },
  { noun: 'upgrade', verbs: ['start', 'pause', 'resume', 'cancel', 'retry'] },
  { noun: 'impersonation', verbs: ['end'] },
  { noun: 'session', verbs: ['end', 'end_others', 'renew'] },
  { noun: 'database_server', verbs: ['register', 'update', 'remove'] },
  { noun: 'api_key', verbs: ['create', 'revoke'] },
] as const;
