/** What is there under another method answers 405 with `Allow`; what is not there at all, 404. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from './errors.ts';

/**
 * To be called before the routes are added, which it listens to.
 *
 * @returns the error for a request that no route took; it sets `Allow` where that fits.
 */
export function knowOtherMethods(app: FastifyInstance): (request: FastifyRequest, reply: FastifyReply) => AppError {
  const taken = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    // Where preflights of every address are answered, not every address is there.
    if (url === '*') return;
    const methods = taken.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    taken.set(url, methods);
  });
  return (request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    for (const [url, methods] of taken) {
      if (methods.has(request.method) || !patternOf(url).test(path)) continue;
      reply.header('allow', [...methods].join(', '));
      return new AppError('method_not_allowed');
    }
    return new AppError('not_found', { message: 'There is no such address.' });
  };
}

/** Fastify's `:id` stands for one segment, `*` for the rest; a slash at the end changes nothing. */
const patternOf = (url: string) =>
  new RegExp(
    `^${url
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace(/\*$/, '.*')}/?$`,
  );
