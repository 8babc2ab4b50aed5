/** Holds one answer to what is promised of all answers. */
import { type DocumentNode, type GraphQLSchema, parse } from 'graphql';
import { errorTable } from '../../src/errors.ts';
import type { ApiDescription } from '../support/api-description.ts';
import { INNARDS } from '../support/innards.ts';
import { dataProblems } from './graphql-answers.ts';
import type { Answer, Draft, Judgement, Problem, Wire } from './model.ts';
import { secretsInAnswer } from './secrets.ts';

const CODES = new Set<string>(errorTable.map(({ code }) => code));
/** What a client's request must never lead to. */
const FAULTS = new Set(['internal_error', 'unavailable']);

export interface Promises {
  description: ApiDescription;
  schema: GraphQLSchema;
  secrets: readonly string[];
}

/** @param wire as it was sent: it says whether an answer has a body. */
export function judge(draft: Draft, wire: Wire, answer: Answer, promises: Promises): Judgement {
  const problems: Problem[] = [];
  const fail = (oracle: string, detail: string) => problems.push({ oracle, detail });
  const { status, headers, text } = answer;
  if (status >= 500) fail('no 5xx', `status ${status}`);
  if (headers['x-injected'] !== undefined || /injected/.test(String(headers['set-cookie'])))
    fail('no header of the client’s making', JSON.stringify(headers));
  if (!headers['x-request-id']) fail('every answer has a request id', `status ${status}`);
  const secret = secretsInAnswer(draft, answer, promises.secrets);
  if (secret) problems.push(secret);
  if (wire.method === 'HEAD') return { code: status < 400 ? 'ok' : String(status), refused: status >= 400, problems };

  const body = jsonOf(answer);
  if (isErrorForm(body)) {
    problems.push(...errorProblems(body, answer));
    return { code: body.code, refused: true, problems };
  }
  if (isGraphqlForm(body, draft)) {
    const errors = body.errors ?? [];
    for (const error of errors) problems.push(...graphqlErrorProblems(error, answer));
    const code = errors[0] ? String(errors[0].extensions?.code).toLowerCase() : 'ok';
    if (errors.length === 0 && body.data && draft.described) {
      const { query } = draft.body as { query: string };
      for (const detail of dataProblems(promises.schema, parse(query) as DocumentNode, body.data))
        fail('the answer fits the schema', detail);
    }
    if (errors.length === 0 && status >= 400) fail('the status says what the body says', `status ${status}, no errors`);
    // Fields of a mutation are done one after the other: those before the one that was refused are done.
    const first = errors[0]?.path?.[0];
    const isWhole = first === undefined || !/^a[1-9]/.test(String(first));
    return { code, refused: errors.length > 0 && nothingIn(body.data) && isWhole, problems };
  }
  if (status >= 400) fail('every error has the one form', `status ${status}: ${text.slice(0, 200)}`);
  else if (draft.described && draft.surface === 'REST')
    problems.push(...successProblems(draft, answer, body, promises.description));
  return { code: status < 400 ? 'ok' : String(status), refused: status >= 400, problems };
}

interface ErrorForm {
  error: string;
  code: string;
  request_id: string;
  details?: unknown;
}

interface GraphqlError {
  message?: string;
  path?: unknown[];
  extensions?: { code?: string; requestId?: string; [name: string]: unknown };
}

interface GraphqlForm {
  data?: unknown;
  errors?: GraphqlError[];
}

/** What an answer holds; of a stream, its first event. */
function jsonOf({ headers, text }: Answer): unknown {
  const stream = String(headers['content-type']).startsWith('text/event-stream');
  const json = stream ? (/^data: (.+)$/m.exec(text)?.[1] ?? '{"data":null}') : text;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const isErrorForm = (body: unknown): body is ErrorForm =>
  body !== null && typeof body === 'object' && 'error' in body && 'code' in body && 'request_id' in body;

const isGraphqlForm = (body: unknown, { surface }: Draft): body is GraphqlForm =>
  surface === 'GraphQL' && body !== null && typeof body === 'object' && ('data' in body || 'errors' in body);

const nothingIn = (data: unknown): boolean =>
  data === null || data === undefined || Object.values(data).every((value) => value === null);

function errorProblems({ error, code, request_id, details }: ErrorForm, { status, headers, text }: Answer): Problem[] {
  const problems = sentenceProblems(error, code, text);
  const fail = (detail: string) => problems.push({ oracle: 'every error has the one form', detail });
  if (request_id !== headers['x-request-id'])
    fail(`request id ${request_id}, in the header ${headers['x-request-id']}`);
  if (!/^application\/json/.test(String(headers['content-type']))) fail(`content type ${headers['content-type']}`);
  if (details !== undefined && code !== 'validation_failed') fail(`details of ${code}`);
  if (status < 400) fail(`status ${status} with ${code}`);
  if (['rate_limited', 'unavailable'].includes(code) && !headers['retry-after']) fail(`${code} without Retry-After`);
  if (code === 'method_not_allowed' && !headers.allow) fail('405 without Allow');
  return problems;
}

function graphqlErrorProblems({ message = '', extensions = {} }: GraphqlError, { headers, text }: Answer): Problem[] {
  const code = String(extensions.code).toLowerCase();
  const problems = sentenceProblems(message, code, text);
  const fail = (detail: string) => problems.push({ oracle: 'every error has the one form', detail });
  if (extensions.code !== String(extensions.code).toUpperCase()) fail(`the code ${extensions.code}`);
  if (extensions.requestId !== headers['x-request-id'])
    fail(`request id ${extensions.requestId}, in the header ${headers['x-request-id']}`);
  return problems;
}

function sentenceProblems(sentence: unknown, code: string, text: string): Problem[] {
  const problems: Problem[] = [];
  if (!CODES.has(code)) problems.push({ oracle: 'every code is in the table', detail: code });
  if (FAULTS.has(code)) problems.push({ oracle: 'no fault by a client’s request', detail: code });
  if (typeof sentence !== 'string' || !/\S/.test(sentence))
    problems.push({ oracle: 'every error has the one form', detail: 'no sentence' });
  const innards = INNARDS.exec(text);
  if (innards) problems.push({ oracle: 'no innards in an answer', detail: innards[0].slice(0, 100) });
  return problems;
}

function successProblems(
  { operation }: Draft,
  { status, headers }: Answer,
  body: unknown,
  description: ApiDescription,
): Problem[] {
  const [method, path] = operation.split(' ') as [string, string];
  const response = description.operation(method, path).responses[status];
  if (!response) return [{ oracle: 'the answer is as described', detail: `the status ${status} is not described` }];
  const content = description.resolve(response as { content?: Record<string, unknown> }).content ?? {};
  const type = String(headers['content-type']).split(';', 1)[0]!;
  if (!(type in content))
    return [{ oracle: 'the answer is as described', detail: `the type ${type} is not described` }];
  if (type !== 'application/json') return [];
  const [wrong] = description.answerErrors(method, path, status, body);
  return wrong ? [{ oracle: 'the answer is as described', detail: wrong }] : [];
}
