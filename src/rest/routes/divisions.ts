import { AgentIdsArgs, CreateDivisionInput, UpdateDivisionInput } from '../../schema/division-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/divisions',
    document: documents.ListDivisionsDocument,
    summary: 'List divisions',
    description: 'Returns all divisions of the organization, each with the number of its agents.',
    success: 'Array of divisions',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/divisions',
    document: documents.CreateDivisionDocument,
    summary: 'Create a division',
    success: 'Created division',
    status: 201,
    body: CreateDivisionInput.rules,
    location: '/api/divisions/{id}',
    errors: ['conflict', 'limit_reached'],
  },
  {
    method: 'GET',
    path: '/api/divisions/{id}',
    document: documents.GetDivisionDocument,
    summary: 'Get a division with agents',
    success: 'Division with its agents',
  },
  {
    method: 'DELETE',
    path: '/api/divisions/{id}',
    document: documents.DeleteDivisionDocument,
    summary: 'Delete a division',
    description: 'Removes its own working hours and the places of its agents too; the agents stay.',
    success: 'Division deleted',
    says: { message: 'Division deleted' },
  },
  {
    method: 'PATCH',
    path: '/api/divisions/{id}',
    document: documents.UpdateDivisionDocument,
    summary: 'Update a division',
    description: 'A merge patch: what is absent stays, null removes a description or a timezone.',
    success: 'Updated division',
    body: UpdateDivisionInput.rules,
    errors: ['conflict'],
  },
  {
    method: 'GET',
    path: '/api/divisions/{id}/agents',
    document: documents.ListDivisionAgentsDocument,
    summary: 'List agents in a division',
    success: 'Array of agents',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/divisions/{id}/agents',
    document: documents.AssignDivisionAgentsDocument,
    summary: 'Assign agents to a division',
    description: 'All or nothing; those already in it stay.',
    success: 'Array of the agents in the division now',
    body: AgentIdsArgs.rules,
  },
  {
    method: 'DELETE',
    path: '/api/divisions/{id}/agents',
    document: documents.RemoveDivisionAgentsDocument,
    summary: 'Remove agents from a division',
    description: 'All or nothing; one who is not in it is no mistake.',
    success: 'Array of the agents in the division now',
    body: AgentIdsArgs.rules,
  },
];

export const divisionRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Divisions' }));
