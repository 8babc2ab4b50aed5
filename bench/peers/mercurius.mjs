/** mercurius, compiling with graphql-jit from the first request on, on the product's schema and reads. */
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { openProduct } from './product.ts';
import { serve } from './serve.ts';

const { schema, context } = await openProduct();
const app = Fastify();
app.register(mercurius, { schema, jit: 1, path: '/graphql', context: ({ headers }) => context(headers) });
await serve(app);
