/** What a row of the route table says. */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** The groups of the API description, in its order; names are the seeds'. */
export const tags = {
  Auth: 'Signing in and out.',
  Agents: 'The people who work in the inbox',
  Divisions: 'Parts of the organization, and the agents who work in them',
  'Activity Logs': 'Who did what, for those who have to know',
  Roles: 'What agents may do',
  Exports: 'All data of an organization as files',
  'API Keys': 'Keys for programs that act for an agent',
  'Working Hours': 'Business working hours configuration (global and per-division overrides)',
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
  status?: 201 | 202;
  /** What the query may hold, in GraphQL's spelling. Lists take `limit` and `after` besides. */
  query?: z.ZodObject;
  /** What the body may hold, in GraphQL's spelling; without it a body has to be empty. */
  body?: z.ZodType;
  /** `list`: a bare array. `connection`: the same, of the pages of a Relay connection. */
  answer?: 'list' | 'connection';
  /** Of a connection that may be too long for one answer: so many a page, unless `limit` says otherwise. */
  pageSize?: number;
  /** Every page of a connection, as a file of this name (its ending apart) in the format that the query asks for. */
  export?: string;
  /** A file of the export that is found, which the query's `part` names. */
  download?: true;
  /** Answered instead of the result. */
  says?: Record<string, string>;
  /** The address of what was created; `{id}` is its id, `{address}` the path that was asked. */
  location?: string;
  /** The result is one text, sent as it is with this content type; `file` is the name that a browser saves it under. */
  media?: { type: string; file: string };
  /** The body may also come as text of this type: it becomes the field `calendar`. */
  takes?: 'text/calendar';
  /**
   * For pages of any origin (CORS) and for caches (ETag, max-age): for how many milliseconds an answer holds, if nobody changes
   * what it is about. It may depend on who asks and on the header X-Tenant-Slug.
   */
  shared?: (body: Record<string, unknown>, query: Record<string, unknown>) => number;
  /** What its requests are counted as, where that is not whether they carry credentials. */
  rateLimit?: 'sign_in' | 'export';
  /** What can go wrong besides what method, path and permission imply; for the API description alone. */
  errors?: readonly (ErrorCode | { code: ErrorCode; status: number })[];
}
