/** The one form that every error has (contract section 1, "error body"), and what no answer may give away. */
import { expect } from '@jest/globals';
import type { GraphqlAnswer } from './actors.ts';
import { INNARDS } from './innards.ts';

interface RestError {
  status: number;
  headers: Headers;
  body: unknown;
}

interface Detail {
  field: string;
  message: string;
}

/** A field may have more than one thing wrong with it. */
function expectDetails(details: Detail[], fields = details.map(({ field }) => field)): void {
  expect(new Set(details.map(({ field }) => field))).toEqual(new Set(fields));
  for (const detail of details) {
    expect(detail).toEqual({ field: detail.field, message: expect.stringMatching(/^\S.*\S$/) });
  }
}

export function expectNoInnards(text: string): void {
  expect(text).not.toMatch(INNARDS);
}

/** Holds a REST answer to the documented form. @param fields the ones that `details` have to name, and no other. */
export function expectError(
  { status, headers, body }: RestError,
  wanted: number,
  code: string,
  fields?: string[],
): void {
  const { details, ...rest } = body as { details?: Detail[] };
  expect({ status, rest }).toEqual({
    status: wanted,
    rest: { error: expect.stringMatching(/^[A-Z].+\.$/), code, request_id: headers.get('x-request-id') },
  });
  if (code !== 'validation_failed') expect(details).toBeUndefined();
  if (fields || details) expectDetails(details ?? [], fields);
  expectNoInnards(JSON.stringify(body));
}

/** Holds a GraphQL answer's first error to its form. */
export function expectGraphqlError(answer: GraphqlAnswer<unknown>, code: string, fields?: string[]): void {
  const [error] = answer.errors ?? [];
  const { details, retryAfter, ...extensions } = error?.extensions ?? { details: undefined, retryAfter: undefined };
  expect({ message: error?.message, extensions }).toEqual({
    message: expect.stringMatching(/\S/),
    extensions: { code, requestId: expect.stringMatching(/\S/) },
  });
  if (code !== 'VALIDATION_FAILED') expect(details).toBeUndefined();
  if (fields || details) expectDetails(details ?? [], fields);
  if (retryAfter !== undefined) expect(retryAfter).toBeGreaterThan(0);
  expectNoInnards(JSON.stringify(answer));
}
