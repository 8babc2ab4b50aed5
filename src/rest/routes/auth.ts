import { LoginArgs } from '../../schema/inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

export const authRoutes: Route[] = [
  {
    method: 'POST',
    path: '/api/auth/login',
    document: documents.LoginDocument,
    summary: 'Login with email and password',
    description: 'The JWT is in the body and in the httpOnly cookie access_token.',
    tag: 'Auth',
    success: 'JWT token and the agent it speaks for',
    body: LoginArgs.rules,
    errors: [
      'unauthenticated',
      'tenant_suspended',
      'user_suspended',
      'tenant_required',
      'tenant_not_ready',
      'rate_limited',
    ],
  },
];
