/**
 * The ceiling: what one writes by hand with Fastify and `pg`, for these routes and nothing else. Prepared statements, compiled
 * serialisers, a token check that is remembered; no log, no metrics, no request ids.
 */
import Fastify from 'fastify';
import { serve } from '../serve.ts';
import { serveHours } from './hours.ts';
import { serveReads } from './reads.ts';
import { tokenCheck } from './token-check.ts';
import { serveWrites } from './writes.ts';

const claimsOf = tokenCheck(process.env.JWT_SECRET!);
const app = Fastify();
app.register(async (scope) => {
  scope.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (!claimsOf(request.headers.authorization)) return reply.code(401).send({ error: 'unauthenticated' });
  });
  serveReads(scope);
  serveWrites(scope, claimsOf);
});
app.register(serveHours);
await serve(app);
