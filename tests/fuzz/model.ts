/** What the fuzz run is about: requests before and after their placeholders are filled in, answers, and what is wrong with them. */
import type fc from 'fast-check';
import type { OtherServers } from './platform.ts';

type Surface = 'REST' | 'GraphQL';

export const ACTORS = [
  'anonymous',
  'garbage token',
  'super admin',
  'admin',
  'supervisor',
  'agent',
  'API key',
  'impersonation',
  'read-only impersonation',
  'suspended',
] as const;
export type ActorName = (typeof ACTORS)[number];

/** A change of the text that is sent, after everything else. */
export interface Twist {
  part: 'body' | 'url';
  change(text: Buffer): Buffer;
}

/**
 * A request as it is drawn. Texts in it may hold placeholders, which the world fills in when it is sent: `@own:division:3@` is
 * an id (world.ts), `@raw:1e400@` stands without its quotes in the body.
 */
export interface Draft {
  surface: Surface;
  /** `POST /api/agents` or `mutation createAgent`. */
  operation: string;
  actor: ActorName;
  /** Which of the tenants that have a cast the actor belongs to. */
  tenant: number;
  method: string;
  path: string;
  query: [name: string, value: string][];
  headers: Record<string, string>;
  body?: unknown;
  twists: Twist[];
  /** What was done to it on purpose; empty: it should do. */
  hostile: string[];
  /** Whether the answer has to be what the description of `operation` says: method, path and document are still its own. */
  described: boolean;
}

/** A request as it is sent. */
export interface Wire {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
  /** Which of the sender's addresses it comes from; the next one unless said otherwise. */
  from?: number;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  ms: number;
}

/** What an answer is in the end; `code` is `ok` or the error's, in snake case. */
export interface Judgement {
  code: string;
  /** It was refused as a whole: nothing may have changed. */
  refused: boolean;
  problems: Problem[];
}

export interface Problem {
  /** The promise that does not hold, in a few words. */
  oracle: string;
  detail: string;
}

export interface Finding extends Problem {
  draft: Draft;
  wire?: Wire;
  answer?: Answer;
}

export interface Operation {
  surface: Surface;
  key: string;
  valid: fc.Arbitrary<Draft>;
}

/** The gateway under test. */
export interface Target {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** Of the control database, as the server's superuser. */
  databaseUrl: string;
  /** What it has logged since the last call. */
  log(): string[];
  superAdmin: { email: string; password: string };
  /** Of its tenants besides those on the server that it was started with. */
  servers: OtherServers;
  /** Texts that must never be seen: keys, passwords of databases. */
  secrets: string[];
}

/** Every password that is drawn or used begins with it, so that it is found wherever it appears. */
export const PASSWORD_MARK = 'Pw!fuzz';
/** Of everybody whom the run itself makes. */
export const KNOWN_PASSWORD = `${PASSWORD_MARK}-known`;
