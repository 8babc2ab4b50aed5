/**
 * The plain design: Apollo Server, type-graphql and MikroORM entities as their guides show them, REST by `executeOperation`, a
 * token verified on each request with the bytes of the secret.
 */
import 'reflect-metadata';
import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { MikroORM } from '@mikro-orm/postgresql';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import jwt from 'jsonwebtoken';
import { Keys } from '../../src/db/keys.ts';
import { controlEntities } from '../../src/entities/control/index.ts';
import { type PlainContext, plainContext, plainSchema } from './plain-schema.ts';
import { serve } from './serve.ts';

const TENANT = `id name slug status mongoDatabase limits { maxAgents maxContacts maxMessagesMonth }
  country schemaVersion createdAt updatedAt`;
const GET_TENANT = `query ($id: UUID!) { tenant(id: $id) { ${TENANT} } }`;
const LIST_USAGE = `query ($first: Int!, $after: String) { tenants(first: $first, after: $after) {
  nodes { ${TENANT} usage {
    id orgId agentCount contactCount messagesThisMonth activeIntegrations usageMonth updatedAt } }
  pageInfo { endCursor hasNextPage } } }`;

const orm = await MikroORM.init({
  clientUrl: process.env.DATABASE_URL,
  entities: controlEntities,
  metadataProvider: ReflectMetadataProvider,
  forceUtcTimezone: true,
  ensureDatabase: false,
  pool: { min: 0, max: 20 },
});
const server = new ApolloServer<PlainContext>({ schema: await plainSchema() });
await server.start();

const secret = new Keys(process.env.JWT_SECRET!).signing.export();

async function contextOf({ headers }: FastifyRequest): Promise<PlainContext> {
  let caller: PlainContext['caller'];
  try {
    caller = jwt.verify(headers.authorization!.slice('Bearer '.length), secret) as PlainContext['caller'];
  } catch {}
  return plainContext(orm.em.fork(), caller);
}

/** Runs a document as a REST route does. @returns its data, or an answer that was sent. */
async function run<Data>(
  request: FastifyRequest,
  reply: FastifyReply,
  query: string,
  variables: object,
): Promise<Data> {
  const answer = await server.executeOperation(
    { query, variables: { ...variables } },
    { contextValue: await contextOf(request) },
  );
  if (answer.body.kind !== 'single' || answer.body.singleResult.errors) {
    reply.code(400);
    throw new Error(JSON.stringify(answer.body));
  }
  return answer.body.singleResult.data as Data;
}

/** Names in snake_case; what has no value is left out. */
function restOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(restOf);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    members.map(([name, member]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      name === 'status' ? String(member).toLowerCase() : restOf(member),
    ]),
  );
}

const app = Fastify();
app.post('/graphql', fastifyApolloHandler(server, { context: contextOf }));
app.get<{ Params: { id: string } }>('/api/super-admin/tenants/:id', async (request, reply) => {
  const { tenant } = await run<{ tenant: object }>(request, reply, GET_TENANT, request.params);
  return restOf(tenant);
});
app.get<{ Querystring: { limit: string; after?: string } }>('/api/super-admin/usage', async (request, reply) => {
  const { limit, after } = request.query;
  const { tenants } = await run<{
    tenants: { nodes: object[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
  }>(request, reply, LIST_USAGE, { first: Number(limit), after });
  const { endCursor, hasNextPage } = tenants.pageInfo;
  if (hasNextPage) reply.header('link', `</api/super-admin/usage?limit=${limit}&after=${endCursor}>; rel="next"`);
  return restOf(tenants.nodes);
});

await serve(app);
