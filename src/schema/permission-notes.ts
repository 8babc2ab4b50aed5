/** What operations refuse besides what they demand of their callers: told under the table of permissions. */
import type { Cell } from './permission-matrix.ts';

interface PermissionNote {
  /** The operations' names. */
  of: readonly string[];
  /** By actor: what the table says instead. */
  cells?: Record<string, Cell>;
  says: string;
}

export const notes: readonly PermissionNote[] = [
  {
    of: ['logout'],
    cells: { 'API key without': '403' },
    says: 'An API key has no session that it could end: it is revoked instead.',
  },
  {
    of: ['freshToken'],
    cells: { 'super admin': '403' },
    says: 'Super admins sign in anew after their eight hours.',
  },
  {
    of: ['workingHoursStatus', 'workingHoursStatusChanged'],
    cells: { suspended: '403' },
    says: 'Open to all without credentials. Those that a request carries decide whose hours it asks for, so they must be good.',
  },
  {
    of: ['agents', 'activityLogs'],
    cells: { 'other tenant': 'own' },
    says: "The id is a filter: by another tenant's, nothing is found.",
  },
  {
    of: ['createAgent'],
    cells: { 'other tenant': 'own' },
    says: 'A division of another tenant is 400, as one that nobody has.',
  },
  {
    of: ['assignDivisionAgents', 'removeDivisionAgents'],
    says: 'An agent of another tenant is 400, as one that nobody has.',
  },
  {
    of: ['createWorkingHoursException', 'updateWorkingHoursException', 'deleteWorkingHoursException', 'importHolidays'],
    says:
      'Days of the whole organization need `settings.manage` besides: for a supervisor those are 403, and only those of ' +
      'divisions are yes.',
  },
  { of: ['setAgentOnline'], says: 'Of oneself; of others it needs `agents.manage`, else it is 403.' },
  {
    of: ['createAgent', 'updateAgent', 'deleteAgent'],
    says: 'An agent, or a role, that may do more than the caller is 403.',
  },
  {
    of: ['createRole', 'updateRole'],
    says: 'A permission that the caller lacks is 403: nobody grants what they do not have.',
  },
  { of: ['createApiKey'], says: 'A scope that the caller lacks is 403.' },
  { of: ['revokeApiKey'], says: "One's own; of others it needs `agents.manage`, else they are 404." },
  {
    of: ['systemHealth'],
    says:
      'Answered also while a gateway cannot read the event log, and so cannot know whether a token was revoked: everything ' +
      'else that needs a token is 503 there.',
  },
  { of: ['endSession'], says: "One's own; anybody else's is 404." },
  {
    of: ['updateAgent'],
    says: 'A new password is 403 under an impersonation, and for an API key that asks for its own maker.',
  },
];
