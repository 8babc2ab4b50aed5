/** Faults that a fuzz run has to find, each a route of its own. */
import type { App } from '../../src/app.ts';
import { HOME_SERVER_ID } from '../../src/entities/control/database-server.ts';
import { AppError } from '../../src/errors.ts';
import type { OpenApi, Operation, Schema } from '../../src/rest/openapi/types.ts';
import { sql } from '../support/database.ts';

interface Fault {
  /** The promise that it breaks. */
  breaks: string;
  run(app: App, body: Record<string, unknown>, requestId: string): unknown;
}

/** What lingers is gone then, so that a run goes on. */
const LINGERS_MS = 3000;

/** By the end of their paths. */
export const FAULTS: Record<string, Fault> = {
  throws: {
    breaks: 'no 5xx',
    run: (_, { name }) => ({ count: (name as string).trim().length }),
  },
  tells: {
    breaks: 'no innards in an answer',
    run() {
      throw new AppError('conflict', { message: 'duplicate key value violates unique constraint "agents_pkey".' });
    },
  },
  leaks: {
    breaks: 'no secret in an answer',
    run(_, { password }) {
      throw new AppError('validation_failed', { message: `The password ${password} is too weak.` });
    },
  },
  logs: {
    breaks: 'no secret in the log',
    run({ services }, body, requestId) {
      services.log.info({ requestId, body }, 'somebody asked');
      return { count: 1 };
    },
  },
  writes: {
    breaks: 'nothing is changed by a refused request',
    async run({ services }, { name }) {
      await services.control.pool.query(`update super_admins set name = name || 'x'`);
      throw new AppError('forbidden', { message: `${typeof name} is not yours to write.` });
    },
  },
  reaches: {
    breaks: 'nothing is changed by a refused request',
    async run({ services }, { name }) {
      const { control, servers } = services;
      const { rows } = await control.pool.query(
        `select d.database_name as database, d.server_id as id from tenant_databases d join organizations o on o.id = d.org_id
          where d.server_id <> '${HOME_SERVER_ID}' and o.archived_at is null order by o.id desc limit 1`,
      );
      await sql(
        (await servers.byId(rows[0].id)).urlOf(rows[0].database),
        `update agents set full_name = full_name || 'x'`,
      );
      throw new AppError('forbidden', { message: `${typeof name} is not yours to write.` });
    },
  },
  misdescribes: { breaks: 'the answer is as described', run: () => ({ count: 'three' }) },
  garbles: {
    breaks: 'every error has the one form',
    run() {
      throw new AppError('rate_limited');
    },
  },
  lingers: {
    breaks: 'what is begun comes to its end',
    async run({ services }) {
      const { pool } = services.control;
      const { rows } = await pool.query(
        `insert into pgboss.job (name, state, started_on) values ('tenant.apply-limits', 'active', now()) returning id`,
      );
      setTimeout(() => void pool.query('delete from pgboss.job where id = $1', [rows[0].id]), LINGERS_MS);
      return { count: 1 };
    },
  },
  hangs: { breaks: 'every request is answered', run: () => new Promise(() => {}) },
};

export function plant(app: App): void {
  for (const [name, { run }] of Object.entries(FAULTS)) {
    app.http.post(`/api/planted/${name}`, async (request) =>
      run(app, (request.body ?? {}) as Record<string, unknown>, request.id),
    );
  }
}

/** The description with planted routes as they should be. */
export function withPlanted(document: OpenApi, names: readonly string[]): OpenApi {
  const json = (schema: Schema) => ({ 'application/json': { schema } });
  const text = { type: 'string', minLength: 1, maxLength: 100 };
  const input = { type: 'object', properties: { name: text, password: text }, required: ['name', 'password'] };
  const answer = { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] };
  const operation = (name: string): Operation => ({
    operationId: name,
    summary: name,
    tags: [],
    security: [],
    requestBody: { required: true, content: json(input) },
    responses: { 200: { description: 'Done', content: json(answer) } },
  });
  const planted = names.map((name) => [`/api/planted/${name}`, { post: operation(name) }]);
  return { ...document, paths: { ...document.paths, ...Object.fromEntries(planted) } };
}
