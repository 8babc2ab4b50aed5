/**
 * The ceiling's write: the change, its audit entry with the digest, and its event in the order of the log, in one transaction,
 * as the gateway leaves them in the database.
 */
import type { FastifyInstance } from 'fastify';
import type { PoolClient } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { LOCKS } from '../../../src/db/locks.ts';
import { digestOf } from '../../../src/domain/audit-digest.ts';
import { timeOf } from '../../../src/instants.ts';
import { isUuid, pool } from './database.ts';
import { instant, REST_TENANT, restTenant, TENANT_COLUMNS, type TenantRow } from './tenants.ts';
import type { Claims } from './token-check.ts';

const text = {
  find: `select ${TENANT_COLUMNS} from organizations o where o.id = $1 for update`,
  rename: 'update organizations set name = $2, updated_at = $3 where id = $1',
  audit: `insert into audit_entries (id, org_id, actor_kind, actor_id, actor_email, action, target_type, target_id, before,
                                     after, request_id, address, created_at, digest)
          values ($1, $2::uuid, 'super_admin', $3, $4, 'tenant.update', 'tenant', $2::uuid::text, $5, $6, $7, $8, $9, $10)`,
  lock: `select pg_advisory_xact_lock(${LOCKS.eventLog}, 0)`,
  tell: `with told as (insert into events (topic, payload) values ('tenant', $1))
         select pg_notify('omnistream_events', '')`,
};

/** What changes of a tenant may, as the audit log keeps it. */
const changeable = ({ name, status, limits }: TenantRow) => ({ name, status, limits });

function auditValues(claims: Claims, before: TenantRow, after: TenantRow, address: string): unknown[] {
  const id = uuidv7();
  const createdAt = timeOf(id).toISOString();
  const requestId = uuidv7();
  const entry = {
    id,
    orgId: after.id,
    actorKind: 'super_admin',
    actorId: claims.sub,
    actorEmail: claims.email,
    action: 'tenant.update',
    targetType: 'tenant',
    targetId: after.id,
    before: changeable(before),
    after: changeable(after),
    requestId,
    address,
    createdAt,
  };
  const values = [id, after.id, claims.sub, claims.email, entry.before, entry.after, requestId, address, createdAt];
  return [...values, digestOf(entry)];
}

const payloadOf = (row: TenantRow) => ({
  change: 'updated',
  tenant: {
    id: row.id,
    name: row.name,
    slug: row.slug,
    limits: row.limits,
    status: row.status,
    country: row.country,
    createdAt: instant(row.created_at),
    updatedAt: row.updated_at,
    mongoDatabase: row.mongo_database,
    schemaVersion: row.schema_version,
  },
  tenantId: row.id,
});

async function rename(client: PoolClient, id: string, name: string, claims: Claims, address: string) {
  const run = (statement: keyof typeof text, values: unknown[] = []) =>
    client.query<TenantRow>({ name: statement, text: text[statement], values });
  const [, { rows }] = await Promise.all([client.query('begin'), run('find', [id])]);
  const [before] = rows;
  if (!before) {
    await client.query('rollback');
    return undefined;
  }
  const after = { ...before, name, updated_at: new Date().toISOString() };
  // None waits for the one before it to be answered here; where one fails, the commit is a rollback.
  const [changed] = await Promise.all([
    run('rename', [id, name, after.updated_at]),
    run('audit', auditValues(claims, before, after, address)),
    run('lock'),
    run('tell', [payloadOf(after)]),
    client.query('commit'),
  ]);
  return changed.rowCount === 1 ? after : undefined;
}

export function serveWrites(app: FastifyInstance, claimsOf: (authorization: string | undefined) => Claims | undefined) {
  app.patch<{ Params: { id: string }; Body: { name: string } }>(
    '/api/super-admin/tenants/:id',
    {
      schema: {
        body: {
          type: 'object',
          required: ['name'],
          additionalProperties: false,
          properties: { name: { type: 'string', minLength: 1, maxLength: 200 } },
        },
        response: { 200: REST_TENANT },
      },
    },
    async ({ params: { id }, body: { name }, headers, ip }, reply) => {
      if (!isUuid(id)) return reply.code(400).send({ error: 'not an id' });
      const client = await pool.connect();
      let failed: Error | undefined;
      try {
        const row = await rename(client, id, name.trim(), claimsOf(headers.authorization)!, ip);
        return row ? restTenant(row) : reply.code(404).send({ error: 'not found' });
      } catch (error) {
        failed = error as Error;
        throw error;
      } finally {
        client.release(failed);
      }
    },
  );
}
