/** How bodies are read: JSON in UTF-8 (RFC 8259, 8.1), and nothing else. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { AppError } from './errors.ts';

/** JSON that says to be in other characters would be read as what it is not. ASCII is UTF-8 as well. */
const OTHER_CHARACTERS = /;\s*charset\s*=(?!\s*"?(?:utf-?8|us-ascii)"?\s*(?:;|$))/i;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON that the parser refuses has keys that reach for the prototype. */
const poisoned = () =>
  new AppError('validation_failed', {
    message: 'The body holds a key that may not be: "__proto__", or "constructor".',
  });

const notUtf8 = () => new AppError('validation_failed', { message: 'The body is not UTF-8 text.' });

/** Instead of Fastify's own parsers. Bytes that are no text are refused: characters that stand for them would be stored in their place. */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:;|$)/i, { parseAs: 'buffer' }, (request, body, done) => {
    if (OTHER_CHARACTERS.test(request.headers['content-type']!))
      return done(new AppError('unsupported_media_type', { message: 'Send the body as application/json, in UTF-8.' }));
    if (!isUtf8(body as Buffer)) return done(notUtf8());
    const text = body.toString();
    // Clients that always send the header send it with an empty body too.
    if (text === '') return done(null, undefined);
    parse(request, text, (error, value) => done(error && isJson(text) ? poisoned() : error, value));
  });
}
