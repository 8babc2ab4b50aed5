import { z } from 'zod';
import { agentFilter, CreateAgentInput, OnlineArgs, UpdateAgentInput } from '../../schema/people-inputs.ts';
import * as documents from '../operations.gen.ts';
import { trueOrFalse } from '../query.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/agents',
    document: documents.ListAgentsDocument,
    summary: 'List all agents',
    description: 'In the order in which they were made, narrowed by text, role, division or being online.',
    success: 'Array of agents',
    query: z.object({ ...agentFilter, online: trueOrFalse.optional() }),
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/agents',
    document: documents.CreateAgentDocument,
    summary: 'Create a new agent',
    description: 'They may sign in at once. Nobody gives a role that allows more than their own.',
    success: 'Created agent',
    status: 201,
    body: CreateAgentInput.rules,
    location: '/api/agents/{id}',
    errors: ['email_taken', 'limit_reached'],
  },
  {
    method: 'GET',
    path: '/api/agents/{id}',
    document: documents.GetAgentDocument,
    summary: 'Get an agent by ID',
    success: 'Agent',
  },
  {
    method: 'DELETE',
    path: '/api/agents/{id}',
    document: documents.DeleteAgentDocument,
    summary: 'Delete an agent',
    description: 'Their sessions and API keys end with them; their name stays in the activity log.',
    success: 'Agent deleted',
    says: { message: 'Agent deleted' },
    errors: ['cannot_delete_self', 'last_admin'],
  },
  {
    method: 'PATCH',
    path: '/api/agents/{id}',
    document: documents.UpdateAgentDocument,
    summary: 'Update an agent',
    description: 'A merge patch: what is absent stays. A new password, and is_active false, end their sessions.',
    success: 'Updated agent',
    body: UpdateAgentInput.rules,
    errors: ['email_taken', 'last_admin', 'conflict'],
  },
  {
    method: 'PATCH',
    path: '/api/agents/{id}/status',
    document: documents.SetAgentOnlineDocument,
    summary: 'Toggle agent online/offline status',
    description: 'Of yourself, or, with agents.manage, of anybody.',
    success: 'Updated agent',
    body: OnlineArgs.rules,
  },
];

export const agentRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Agents' }));
