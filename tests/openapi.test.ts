import { beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Schema } from '../src/rest/openapi/types.ts';
import { openApi } from '../src/rest/openapi.ts';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { ApiDescription } from './support/api-description.ts';
import { seedOperations } from './support/seed-operations.ts';
import { tenantSideOperations } from './support/seed-tenant-side.ts';
import { seedHoursOperations } from './support/seed-working-hours.ts';

const documented = [...seedOperations, ...seedHoursOperations, ...tenantSideOperations];

/** Of the document's list of other groups, by their titles, and what the documented groups need besides. */
const others = `
  GET /api/auth/sessions List my sessions
  DELETE /api/auth/sessions End all my other sessions
  DELETE /api/auth/sessions/{id} End one of my sessions
  GET /api/super-admin/impersonations List live impersonations
  DELETE /api/super-admin/impersonations/{id} End an impersonation
  GET /api/super-admin/tenants/{id}/move Get the move of a tenant
  POST /api/super-admin/tenants/{id}/move Move a tenant to another database server
  DELETE /api/super-admin/tenants/{id}/move Cancel a move
  POST /api/super-admin/tenants/{id}/move/undo Undo a move
  POST /api/super-admin/tenants/{id}/move/abandon End a move without a server that does not answer
  POST /api/super-admin/tenants/{id}/move/finish Finish a move
  GET /api/health API Gateway health check
  GET /readyz Readiness check
  GET /metrics Metrics
  GET /api/divisions List divisions
  POST /api/divisions Create a division
  GET /api/divisions/{id} Get a division with agents
  PATCH /api/divisions/{id} Update a division
  DELETE /api/divisions/{id} Delete a division
  GET /api/divisions/{id}/agents List agents in a division
  POST /api/divisions/{id}/agents Assign agents to a division
  DELETE /api/divisions/{id}/agents Remove agents from a division
  GET /api/activity-logs/export Export activity logs
  GET /api/exports List exports of all data
  POST /api/exports Export all data
  GET /api/exports/{export_id} Get an export
  GET /api/exports/{export_id}/download Fetch an export
  POST /api/super-admin/tenants/{id}/purge Set the end of a suspended tenant
  DELETE /api/super-admin/tenants/{id}/purge Call the end of a tenant off
  POST /api/super-admin/tenants/{id}/archive Archive a suspended tenant
  POST /api/super-admin/tenants/{id}/unarchive Restore an archived tenant
  GET /api/super-admin/tenants/{id}/offboarding How the archiving, restoring or removing of a tenant stands
  GET /api/super-admin/tenants/{id}/exports List a tenant's exports
  GET /api/super-admin/upgrades List upgrades of tenants
  GET /api/super-admin/upgrades/plan Plan an upgrade of tenants
  GET /api/super-admin/upgrades/{id} Get an upgrade of tenants
  POST /api/super-admin/upgrades Start an upgrade of tenants
  POST /api/super-admin/upgrades/tenants/{tenant_id}/retry Retry a tenant's upgrade
  POST /api/super-admin/upgrades/{id}/cancel Cancel an upgrade of tenants
  POST /api/super-admin/upgrades/{id}/pause Pause an upgrade of tenants
  POST /api/super-admin/upgrades/{id}/resume Resume an upgrade of tenants
  POST /api/super-admin/users Add an admin to a tenant
  POST /api/super-admin/tenants/{id}/exports Export a tenant's data
  GET /api/super-admin/tenants/{id}/exports/{export_id} Get a tenant's export
  GET /api/super-admin/tenants/{id}/exports/{export_id}/download Fetch a tenant's export
  GET /api/super-admin/database-servers List database servers
  POST /api/super-admin/database-servers Register a database server
  GET /api/super-admin/database-servers/{id} Get a database server
  PATCH /api/super-admin/database-servers/{id} Update a database server
  DELETE /api/super-admin/database-servers/{id} Remove a database server
  GET /api/working-hours/changes List coming openings and closings
  POST /api/working-hours/preview Preview an unsaved schedule
  GET /api/working-hours/add-minutes Add minutes of working time to an instant
  GET /api/working-hours/minutes-between Count the minutes of working time between two instants
  GET /api/working-hours.ics Export working hours as a calendar
  GET /api/working-hours/exceptions List holidays and special hours
  POST /api/working-hours/exceptions Create a holiday or special hours
  GET /api/working-hours/exceptions/{id} Get an exception
  PATCH /api/working-hours/exceptions/{id} Update an exception
  DELETE /api/working-hours/exceptions/{id} Delete an exception
  POST /api/working-hours/exceptions/import Import holidays
  POST /api/working-hours/exceptions/import/preview Preview an import of holidays
  PUT /api/working-hours/divisions/{division_id}/opt-outs/{exception_id} Opt a division out of an exception
  DELETE /api/working-hours/divisions/{division_id}/opt-outs/{exception_id} Opt a division in to an exception again`;

/** What may be said besides, by the last part of the path; the document knows no body of an impersonation. */
const OURS: Record<string, readonly string[]> = { impersonate: ['reason', 'read_only'], tenants: ['region'] };

let description: ApiDescription;

beforeAll(async () => {
  description = new ApiDescription(openApi(await buildGatewaySchema()));
});

describe('the API description', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate({ ...description.document })).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('holds every documented operation, and none besides those that are known', () => {
    const lines = (known: { method: string; path: string; title?: string }[]) =>
      known.map(({ method, path, title }) => `${method} ${path} ${title}`);
    const described = description
      .operations()
      .map(({ operation, ...place }) => ({ ...place, title: operation.summary }));
    const known = others.trim().split(/\n\s*/);
    expect(lines(described).sort()).toEqual([...lines(documented), ...known].sort());
  });

  test("has the documented titles of a tenant's own side in their groups", () => {
    for (const { group, title, method, path } of tenantSideOperations) {
      const { tags, summary } = description.operation(method, path);
      expect([path, tags, summary]).toEqual([path, [group], title]);
    }
  });

  test('says of each operation how its caller is known, or that it is open to all', () => {
    const open = description.operations().filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path).sort()).toEqual([
      '/api/auth/login',
      '/api/auth/register',
      '/api/health',
      '/api/super-admin/login',
      '/api/working-hours/status',
      '/metrics',
      '/readyz',
    ]);
  });

  test('gives each operation a name of its own', () => {
    const names = description.operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test('shows examples that are valid', () => {
    for (const { method, path, operation } of description.operations()) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const { examples = {} } = description.resolve(response).content?.['application/json'] ?? {};
        for (const { value } of Object.values(examples)) {
          expect(description.answerErrors(method, path, Number(status), value)).toEqual([]);
        }
      }
    }
  });

  test.each(documented)('asks for what is documented: $title', ({ method, path, ...seed }) => {
    const operation = description.operation(method, path);
    const parameters = (operation.parameters ?? []).map((parameter) => description.resolve(parameter));
    const query = parameters.filter(
      (parameter) => parameter.in === 'query' && !['limit', 'after'].includes(parameter.name),
    );
    expect(Object.fromEntries(query.map(({ name, required }) => [name, !!required]))).toEqual(seed.query ?? {});
    expect(parameters.some((parameter) => parameter.in === 'path')).toBe(path.includes('{id}'));

    const body = operation.requestBody?.content['application/json']?.schema;
    const ours = OURS[path.split('/').at(-1)!] ?? [];
    const fields = Object.keys(body?.properties ?? {}).filter((name) => !ours.includes(name));
    expect(fields).toEqual(Object.keys(seed.body ?? {}));
    expect(body?.required).toEqual(seed.requiredInBody);
    if (body) expect(body.additionalProperties).toBe(false);
  });

  test.each(documented)('promises what is documented: $title', ({ method, path, answer, requiredInAnswer }) => {
    const { responses } = description.operation(method, path);
    const success = description.resolve(responses[200] ?? responses[201]!);
    const whole = description.resolve<Schema>(success.content!['application/json']!.schema);
    const schema = Array.isArray(answer) ? description.resolve<Schema>(whole.items!) : whole;
    expect(schema.required).toEqual(expect.arrayContaining(requiredInAnswer ?? []));
  });
});
