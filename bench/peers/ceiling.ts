/**
 * The ceiling: what one writes by hand with Fastify and `pg`, for these routes and nothing else. Prepared statements, compiled
 * serialisers, a token check that is remembered; no log, no metrics, no request ids.
 */
import Fastify from 'fastify';
import pg from 'pg';
import {
  GRAPHQL_PAGE,
  graphqlTenant,
  REST_TENANT,
  REST_TENANTS_WITH_USAGE,
  restTenant,
  restTenantWithUsage,
  TENANT_COLUMNS,
  type TenantRow,
  USAGE_COLUMNS,
  type UsageRow,
} from './ceiling-tenants.ts';
import { numberFrom, serve } from './serve.ts';
import { tokenCheck } from './token-check.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

// Instants and dates stay the text that they come as.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, String);
pg.types.setTypeParser(pg.types.builtins.DATE, String);
const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 20,
  idleTimeoutMillis: 0,
  options: '-c timezone=UTC',
});
const claimsOf = tokenCheck(process.env.JWT_SECRET!);

const rows = async <Row>(name: string, text: string, values: unknown[]) =>
  (await pool.query({ name, text, values })).rows as Row[];
const page = (after: string | undefined, limit: number) =>
  after
    ? rows<UsageRow>(
        'page_after',
        `select ${TENANT_COLUMNS}, ${USAGE_COLUMNS} from organizations o left join usage u on u.org_id = o.id
          where o.id > $1 order by o.id limit $2`,
        [after, limit + 1],
      )
    : rows<UsageRow>(
        'page',
        `select ${TENANT_COLUMNS}, ${USAGE_COLUMNS} from organizations o left join usage u on u.org_id = o.id
          order by o.id limit $1`,
        [limit + 1],
      );

const app = Fastify();
app.addHook('onRequest', async (request, reply) => {
  reply.header('cache-control', 'no-store');
  if (!claimsOf(request.headers.authorization)) return reply.code(401).send({ error: 'unauthenticated' });
});

app.get<{ Params: { id: string } }>(
  '/api/super-admin/tenants/:id',
  { schema: { response: { 200: REST_TENANT } } },
  async ({ params: { id } }, reply) => {
    if (!UUID.test(id)) return reply.code(400).send({ error: 'not an id' });
    const [row] = await rows<TenantRow>('tenant', `select ${TENANT_COLUMNS} from organizations o where o.id = $1`, [
      id,
    ]);
    if (!row) return reply.code(404).send({ error: 'not found' });
    return restTenant(row);
  },
);

app.get<{ Querystring: { limit?: string; after?: string } }>(
  '/api/super-admin/usage',
  { schema: { response: { 200: REST_TENANTS_WITH_USAGE } } },
  async ({ query: { limit, after } }, reply) => {
    const size = numberFrom(limit, 500);
    if (!size || (after && !UUID.test(after))) return reply.code(400).send({ error: 'not a page' });
    const found = await page(after, size);
    if (found.length > size) {
      found.pop();
      reply.header('link', `</api/super-admin/usage?limit=${size}&after=${found.at(-1)!.id}>; rel="next"`);
    }
    return found.map(restTenantWithUsage);
  },
);

/** Knows one document: whoever writes by hand has a route for it. */
app.post<{ Body: { variables: { first: number; after?: string } } }>(
  '/graphql',
  { schema: { response: { 200: GRAPHQL_PAGE } } },
  async ({ body: { variables } }, reply) => {
    const { after } = variables;
    const size = numberFrom(variables.first, 500);
    if (!size || (after && !UUID.test(after))) return reply.code(400).send({ error: 'not a page' });
    const found = await page(after, size);
    const hasNextPage = found.length > size;
    if (hasNextPage) found.pop();
    return {
      data: {
        tenants: {
          nodes: found.map(graphqlTenant),
          pageInfo: { endCursor: found.at(-1)?.id ?? null, hasNextPage },
        },
      },
    };
  },
);

await serve(app);
