/** The ceiling's reads: a tenant by id, and pages of tenants with their usage. */
import type { FastifyInstance } from 'fastify';
import { numberFrom } from '../serve.ts';
import { isUuid, rows } from './database.ts';
import {
  graphqlTenant,
  REST_TENANT,
  restTenant,
  restTenantWithUsage,
  TENANT_COLUMNS,
  type TenantRow,
  USAGE_COLUMNS,
  USAGE_IDS,
  type UsageRow,
  type UsageRowWithIds,
} from './tenants.ts';

/** One more than the page holds, where there are more. @param columns of the usage; @param name of statements with these. */
function page<Row>(name: string, columns: string, after: string | undefined, size: number): Promise<Row[]> {
  const text = `select ${TENANT_COLUMNS}, ${columns} from organizations o left join usage u on u.org_id = o.id`;
  return after
    ? rows<Row>(`${name}_after`, `${text} and u.org_id > $1 where o.id > $1 order by o.id limit $2`, [after, size + 1])
    : rows<Row>(name, `${text} order by o.id limit $1`, [size + 1]);
}

/** Pages are left to JSON.stringify, which takes a fifth less for them than a compiled serialiser. */
export function serveReads(app: FastifyInstance): void {
  app.get<{ Params: { id: string } }>(
    '/api/super-admin/tenants/:id',
    { schema: { response: { 200: REST_TENANT } } },
    async ({ params: { id } }, reply) => {
      if (!isUuid(id)) return reply.code(400).send({ error: 'not an id' });
      const [row] = await rows<TenantRow>('tenant', `select ${TENANT_COLUMNS} from organizations o where o.id = $1`, [
        id,
      ]);
      return row ? restTenant(row) : reply.code(404).send({ error: 'not found' });
    },
  );

  app.get<{ Querystring: { limit?: string; after?: string } }>(
    '/api/super-admin/usage',
    async ({ query: { limit, after } }, reply) => {
      const size = numberFrom(limit, 500);
      if (!size || (after && !isUuid(after))) return reply.code(400).send({ error: 'not a page' });
      const found = await page<UsageRowWithIds>('usage', `${USAGE_COLUMNS}, ${USAGE_IDS}`, after, size);
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
    async ({ body: { variables } }, reply) => {
      const { after } = variables;
      const size = numberFrom(variables.first, 500);
      if (!size || (after && !isUuid(after))) return reply.code(400).send({ error: 'not a page' });
      const found = await page<UsageRow>('page', USAGE_COLUMNS, after, size);
      const hasNextPage = found.length > size;
      if (hasNextPage) found.pop();
      const pageInfo = { endCursor: found.at(-1)?.id ?? null, hasNextPage };
      return { data: { tenants: { nodes: found.map(graphqlTenant), pageInfo } } };
    },
  );
}
