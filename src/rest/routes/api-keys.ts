import * as hours from '../../domain/hours-rules.ts';
import { CreateApiKeyInput } from '../../schema/access-inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'GET',
    path: '/api/api-keys',
    document: documents.ListApiKeysDocument,
    summary: "List caller's API keys",
    success: 'Array of API keys, without the keys themselves',
    answer: 'list',
  },
  {
    method: 'POST',
    path: '/api/api-keys',
    document: documents.CreateApiKeyDocument,
    summary: 'Create a new API key',
    description: 'The key is in this answer and nowhere else. It may do no more than its maker.',
    success: 'Created API key',
    status: 201,
    body: CreateApiKeyInput.rules.extend({ expiresAt: hours.instantText.optional() }),
    errors: ['conflict'],
  },
  {
    method: 'DELETE',
    path: '/api/api-keys/{id}',
    document: documents.RevokeApiKeyDocument,
    summary: 'Revoke an API key',
    description: "Who may manage agents may revoke anybody's.",
    success: 'API key revoked',
    says: { message: 'API key revoked' },
  },
];

export const apiKeyRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'API Keys' }));
