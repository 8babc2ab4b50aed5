/** Tries every cell of docs/permissions.md, as it is committed, over GraphQL and over REST. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GraphQLSchema } from 'graphql';
import { openApi } from '../src/rest/openapi.ts';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { ApiDescription } from './support/api-description.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import {
  type Field,
  type Headers,
  type IdOf,
  overGraphql,
  overRest,
  type Values,
  valuesFor,
} from './support/attempts.ts';
import { Cast } from './support/cast.ts';
import { permissionTable, type Row } from './support/permission-table.ts';
import { contentOfTenant } from './support/tenant-content.ts';

const rows: Row[] = permissionTable();

const CODES: Record<string, string> = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not_found' };
/** No answer to somebody who is let in. */
const REFUSALS = [...Object.values(CODES).slice(0, 2), 'user_suspended', 'tenant_suspended', 'rate_limited'];
const NOBODY = '00000000-0000-7000-8000-000000000000';
const nobody: IdOf = () => NOBODY;

let app: TestApp;
let cast: Cast;
let schema: GraphQLSchema;
let description: ApiDescription;
/** Finds the tenant's own. */
let belonging: IdOf;
let belongings: string[];
/** Arguments that have to be right for an operation to be let in. */
let special: Record<string, Values>;

beforeAll(async () => {
  [app, schema] = await Promise.all([startApp(), buildGatewaySchema()]);
  description = new ApiDescription(openApi(schema));
  cast = await Cast.assemble(app, [...new Set(rows.map(({ permission }) => permission))].filter(Boolean));
  const ids = await cast.belongings();
  belongings = Object.values(ids);
  belonging = (noun) => {
    if (!ids[noun]) throw new Error(`the tenant has no ${noun}`);
    return ids[noun];
  };
  const { adminEmail: email, adminPassword: password, slug: tenant } = cast.tenant;
  special = {
    login: { email, password, tenant },
    superAdminLogin: SUPER_ADMIN,
    workingHoursStatus: { tenant },
    workingHoursStatusChanged: { tenant },
  };
});
afterAll(() => app?.stop());

const operation = (kind: string, name: string): Field => schema.getRootType(kind as never)!.getFields()[name]!;

interface Attempt {
  surface: string;
  code: string;
  status?: number;
  text: string;
}

/** Over GraphQL, then over each REST route, one after the other. */
async function tryAll(
  { kind, name, routes }: Row,
  values: Values,
  headers: () => Promise<Headers>,
): Promise<Attempt[]> {
  const field = operation(kind, name);
  const attempts: Attempt[] = [
    { surface: 'GraphQL', ...(await overGraphql(app.url, kind, field, values, await headers())) },
  ];
  for (const route of routes) {
    attempts.push({ surface: route, ...(await overRest(app.url, route, values, await headers(), description)) });
  }
  return attempts;
}

/** What is wrong with an attempt, by the cell that stands in the table. */
function faults({ kind }: Row, actor: string, cell: string, { code, status = 200, text }: Attempt): string | undefined {
  if (status >= 500 || ['internal_error', 'unavailable'].includes(code)) return 'no fault of the server';
  if (cell === 'yes') {
    // What is asked for is there; what would be changed is not, so that it stays.
    if (kind !== 'mutation') return code === 'ok' ? undefined : 'ok';
    return REFUSALS.includes(code) ? 'to be let in' : undefined;
  }
  if (cell === 'own') {
    if ([...REFUSALS, 'not_found'].includes(code)) return 'to be let in to their own';
    const leak = belongings.find((id) => text.includes(id));
    return leak && `nothing of the tenant, such as ${leak}`;
  }
  const wanted = actor === 'suspended' ? 'user_suspended' : CODES[cell];
  if (code !== wanted) return wanted ?? `a known cell, not "${cell}"`;
  return status === 200 || status === Number(cell) ? undefined : cell;
}

/** @returns a line for each cell that is not as the table says. */
async function tryCells(row: Row, cells: Row['cells']): Promise<string[]> {
  const field = operation(row.kind, row.name);
  const tried = cells.map(async ([actor, cell]) => {
    const isIn = cell === 'yes' || cell === 'own';
    const harmless = cell === 'yes' && row.kind === 'mutation';
    const values = valuesFor(field, harmless ? nobody : belonging, special[row.name]);
    const ends = row.name === 'logout' && isIn;
    const headers = () => (ends ? cast.anew(actor, row.permission) : cast.as(actor, row.permission));
    return (await tryAll(row, values, headers)).flatMap((attempt) => {
      const wanted = faults(row, actor, cell, attempt);
      const got = `${attempt.status ?? ''} ${attempt.code}`.trim();
      return wanted ? [`${row.name}, ${actor}, ${attempt.surface}: expected ${wanted}, got ${got}`] : [];
    });
  });
  return (await Promise.all(tried)).flat();
}

describe('the table of permissions', () => {
  test('names every operation of the schema, and every route', () => {
    const names = (['query', 'mutation', 'subscription'] as const).flatMap((kind) =>
      Object.keys(schema.getRootType(kind as never)?.getFields() ?? {}).map((name) => `${kind} ${name}`),
    );
    expect(rows.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual(names.sort());
    const routes = description
      .operations()
      .filter(({ operation }) => operation.tags?.[0] !== 'Health')
      .map(({ method, path }) => `${method} ${path}`);
    expect(rows.flatMap((row) => row.routes).sort()).toEqual(routes.sort());
  });

  test('has a column for everybody who may come', () => {
    const actors =
      'anonymous, agent, supervisor, admin, custom role without, API key without, impersonation, ' +
      'read-only impersonation, super admin, suspended, other tenant';
    for (const { cells } of rows) expect(cells.map(([actor]) => actor).join(', ')).toBe(actors);
  });

  test.each(rows)('is right about $name', async (row) => {
    const before = await contentOfTenant(app, cast.tenant.id);
    expect(
      await tryCells(
        row,
        row.cells.filter(([, cell]) => cell !== 'yes'),
      ),
    ).toEqual([]);
    expect(await contentOfTenant(app, cast.tenant.id)).toEqual(before);
    expect(
      await tryCells(
        row,
        row.cells.filter(([, cell]) => cell === 'yes'),
      ),
    ).toEqual([]);
  });
});

describe('what is noted under the table', () => {
  const exception = { name: 'Day off', startDate: '2028-01-01' };
  const person = { email: 'noted@cast.test', fullName: 'Noted', password: 'a password' };
  const granting = { name: 'Noted', permissions: ['DIVISIONS_VIEW'] };
  const beyond = { role: 'admin' };
  /** May all that an admin may, but for one permission. */
  const deputy = ['custom role without', 'divisions.view'];
  const unsettled = ['custom role without', 'settings.manage'];

  type Noted = [note: string, name: string, actor: string[], values: (id: IdOf) => Values, wanted: string];
  test.each<Noted>([
    ['7', 'createWorkingHoursException', ['supervisor'], () => ({ input: exception }), 'forbidden'],
    ['7', 'createWorkingHoursException', unsettled, () => ({ input: exception }), 'forbidden'],
    ['7', 'updateWorkingHoursException', ['supervisor'], (id) => ({ id: id('exception'), input: {} }), 'forbidden'],
    ['7', 'deleteWorkingHoursException', ['supervisor'], (id) => ({ id: id('exception') }), 'forbidden'],
    ['7', 'importHolidays', ['supervisor'], () => ({ divisionId: undefined }), 'forbidden'],
    ['8', 'setAgentOnline', ['agent'], (id) => ({ id: id('agent'), isOnline: true }), 'forbidden'],
    ['8', 'setAgentOnline', ['agent'], () => ({ id: cast.idOf('agent'), isOnline: true }), 'ok'],
    ['9', 'createAgent', deputy, () => ({ input: { ...person, ...beyond } }), 'forbidden'],
    ['9', 'updateAgent', deputy, (id) => ({ id: id('agent'), input: beyond }), 'forbidden'],
    ['9', 'updateAgent', deputy, (id) => ({ id: id('agent'), input: { fullName: 'Renamed' } }), 'forbidden'],
    ['9', 'deleteAgent', deputy, (id) => ({ id: id('agent') }), 'forbidden'],
    ['10', 'createRole', deputy, () => ({ input: granting }), 'forbidden'],
    ['10', 'updateRole', deputy, (id) => ({ id: id('role'), input: granting }), 'forbidden'],
    ['11', 'createApiKey', ['supervisor'], () => ({ input: { name: 'Key', scopes: ['AGENTS_MANAGE'] } }), 'forbidden'],
    ['12', 'revokeApiKey', ['supervisor'], (id) => ({ id: id('apiKey') }), 'not_found'],
    ['13', 'endSession', ['admin'], (id) => ({ id: id('session') }), 'not_found'],
    [
      '14',
      'updateAgent',
      ['impersonation'],
      (id) => ({ id: id('agent'), input: { password: 'a new one' } }),
      'forbidden',
    ],
    [
      '5',
      'createAgent',
      ['other tenant'],
      (id) => ({ input: { ...person, divisionIds: [id('division')] } }),
      'validation_failed',
    ],
  ])('note %s: %s by %j', async (_note, name, [actor, lacks], values, wanted) => {
    const row = rows.find((one) => one.name === name)!;
    const before = await contentOfTenant(app, cast.tenant.id);
    const given = valuesFor(operation(row.kind, name), nobody, values(belonging));
    const attempts = await tryAll(row, given, () => cast.as(actor!, lacks));
    expect(attempts.map(({ surface, code }) => [surface, code])).toEqual(
      attempts.map(({ surface }) => [surface, wanted]),
    );
    if (wanted !== 'ok') expect(await contentOfTenant(app, cast.tenant.id)).toEqual(before);
  });
});
