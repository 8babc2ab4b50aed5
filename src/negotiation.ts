/** What a request says of its host, and of the answer that it wants, judged before anything is done for it. */
import type { FastifyRequest } from 'fastify';
import { AppError } from './errors.ts';

/** @returns validation_failed for a Host that is none (RFC 9112, 3.2): addresses are made of it. HTTP/1.0 may leave it out. */
export function hostFault({ hostname, headers, raw }: FastifyRequest): AppError | undefined {
  if (URL.canParse(`http://${hostname}/`)) return undefined;
  if (headers.host === undefined && raw.httpVersion === '1.0') return undefined;
  return new AppError('validation_failed', { message: 'The header Host is not a host.' });
}

const SPOKEN = new Set(['*/*', 'application/*', 'application/json', 'application/graphql-response+json']);

/**
 * Whether GraphQL can be answered as the client wants it. Apollo would find out when it has an answer: when the mutation is done.
 *
 * @param accept the header `Accept`.
 * @throws {AppError} validation_failed, 406 Not Acceptable
 */
export function refuseUnacceptable(accept: string | undefined): void {
  if (!accept || accept.split(',').some(isSpoken)) return;
  throw new AppError('validation_failed', {
    status: 406,
    message: 'The answer can only be application/json or application/graphql-response+json: say so in Accept.',
  });
}

function isSpoken(range: string): boolean {
  const [type, ...parameters] = range
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  return SPOKEN.has(type!) && parameters.every((parameter) => isBorne(parameter));
}

/** A weight above nothing, and the one character set. */
function isBorne(parameter: string): boolean {
  const [name, value = ''] = parameter.split('=').map((part) => part.trim());
  if (name === 'q') return Number.parseFloat(value) > 0;
  return name === 'charset' && value.replaceAll('"', '') === 'utf-8';
}
