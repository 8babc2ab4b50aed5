import { RegisterArgs } from '../../schema/access-inputs.ts';
import { LoginArgs } from '../../schema/inputs.ts';
import * as documents from '../operations.gen.ts';
import type { Route } from '../route.ts';

const rows: Omit<Route, 'tag'>[] = [
  {
    method: 'POST',
    path: '/api/auth/login',
    rateLimit: 'sign_in',
    document: documents.LoginDocument,
    summary: 'Login with email and password',
    description: 'The JWT is in the body and in the httpOnly cookie access_token.',
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
  {
    method: 'GET',
    path: '/api/auth/me',
    document: documents.GetProfileDocument,
    summary: 'Get current agent profile',
    description: 'With the role and what it allows; works also while the organization is being set up.',
    success: 'Who the caller is',
  },
  {
    method: 'POST',
    path: '/api/auth/logout',
    document: documents.LogoutDocument,
    summary: 'Logout (clears cookie)',
    description: 'The token that asks is dead everywhere within a second, with all that came of the same sign-in.',
    success: 'Signed out',
    says: { message: 'Signed out' },
    errors: ['forbidden'],
  },
  {
    method: 'GET',
    path: '/api/auth/token',
    document: documents.FreshTokenDocument,
    summary: 'Issue a fresh JWT for the current session',
    description: 'For 24 hours, at most until seven days after the sign-in. The old one goes on until its end.',
    success: 'Fresh JWT',
  },
  {
    method: 'POST',
    path: '/api/auth/register',
    rateLimit: 'sign_in',
    document: documents.RegisterDocument,
    summary: 'Register a new tenant organization',
    description:
      'Answers at once; the token works while the databases are still being made. Until then the data of the organization ' +
      'answers 409 tenant_not_ready.',
    success: 'Organization created; provisioning goes on in the background',
    status: 201,
    body: RegisterArgs.rules,
    errors: ['rate_limited'],
  },
  {
    method: 'GET',
    path: '/api/auth/sessions',
    document: documents.ListSessionsDocument,
    summary: 'List my sessions',
    success: 'Array of sessions',
  },
  {
    method: 'DELETE',
    path: '/api/auth/sessions',
    document: documents.EndOtherSessionsDocument,
    summary: 'End all my other sessions',
    success: 'How many were ended',
  },
  {
    method: 'DELETE',
    path: '/api/auth/sessions/{id}',
    document: documents.EndSessionDocument,
    summary: 'End one of my sessions',
    success: 'Session ended',
    says: { message: 'Session ended' },
  },
];

export const authRoutes: Route[] = rows.map((row) => ({ ...row, tag: 'Auth' }));
