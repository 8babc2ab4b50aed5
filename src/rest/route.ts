/** What a row of the route table says. */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** The groups of the API description, in its order; names are the seeds'. */
export const tags = {
  Auth: 'Signing in and out.',
  'Super Admin': 'Platform super-admin tenant management, health, impersonation, and user management',
  Health: 'What operators and their tools ask.',
} as const;

export type Tag = keyof typeof tags;

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `{name}` marks a path parameter; each is a UUID. */
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: a table holds documents of any result and variables
  document: TypedDocumentNode<any, any>;
  /** The title and the group that the API description shows; titles are the seeds'. */
  summary: string;
  tag: Tag;
  description?: string;
  /** What a success means, in the seeds' words. */
  success: string;
  /** 200 unless something is created. */
  status?: 201;
  /** What the query may hold, in GraphQL's spelling. Lists take `limit` and `after` besides. */
  query?: z.ZodObject;
  /** What the body may hold, in GraphQL's spelling; without it a body has to be empty. */
  body?: z.ZodType;
  /** `list`: a bare array. `connection`: the same, of the pages of a Relay connection. */
  answer?: 'list' | 'connection';
  /** Answered instead of the result. */
  says?: Record<string, string>;
  /** The address of what was created; `{id}` is its id. */
  location?: string;
  /** What can go wrong besides what method, path and permission imply; for the API description alone. */
  errors?: readonly ErrorCode[];
}
