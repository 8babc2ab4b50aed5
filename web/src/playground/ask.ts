/** A question to the gateway over HTTP, with one set of headers and never with a cookie: that would be another identity. */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string; details?: { field: string; message: string }[] } }[];
}

/** What the gateway refused, or why it could not be asked. */
export class AskError extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
    // GraphiQL would show it with the message.
    this.stack = undefined;
  }
}

export type Headers = Readonly<Record<string, string>>;

/** @returns the answer as it came, errors included. */
export async function post<T = unknown>(body: object, headers: Headers, signal?: AbortSignal): Promise<Answer<T>> {
  let answer: Response;
  try {
    answer = await fetch('/graphql', {
      method: 'POST',
      credentials: 'omit',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
  } catch {
    throw new AskError('The gateway cannot be reached.');
  }
  try {
    return (await answer.json()) as Answer<T>;
  } catch {
    throw new AskError(`The gateway answered ${answer.status} without a word of JSON.`);
  }
}

/** @returns the data; errors are thrown. */
export async function ask<T, V>(document: TypedDocumentNode<T, V>, variables: V, token?: string): Promise<T> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const { data, errors } = await post<T>({ query: print(document), variables }, headers);
  const [problem] = errors ?? [];
  if (problem || !data) {
    const details = problem?.extensions?.details?.map(({ field, message }) => `${field} ${message}`);
    const sentence = problem?.message ?? 'The gateway answered nothing.';
    throw new AskError(details?.length ? `${sentence} (${details.join('; ')})` : sentence, problem?.extensions?.code);
  }
  return data;
}
