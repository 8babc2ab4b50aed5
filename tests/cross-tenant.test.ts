/** Another tenant's ids, in every place of every operation that takes one: generated from the schema, over both surfaces. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GraphQLSchema } from 'graphql';
import { ALL_PERMISSIONS } from '../src/domain/permissions.ts';
import { openApi } from '../src/rest/openapi.ts';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { type Actor, agent, provision, superAdmin, type Tenant } from './support/actors.ts';
import { ApiDescription } from './support/api-description.ts';
import { startApp, type TestApp } from './support/app.ts';
import { type Field, type Headers, type Outcome, overGraphql, overRest, valuesFor } from './support/attempts.ts';
import { belongingsOf, made } from './support/belongings.ts';
import { permissionTable, type Row } from './support/permission-table.ts';
import { bearer } from './support/sockets.ts';
import { type Statements, statementsOf } from './support/statements.ts';
import { contentOfTenant } from './support/tenant-content.ts';

type Ids = Record<string, string>;

/** An operation, and one of its places that take an id; `noun` says of what. */
interface Place {
  row: Row;
  field: Field;
  at: number;
  noun: string;
}

const schema: GraphQLSchema = await buildGatewaySchema();
const description = new ApiDescription(openApi(schema));
const all = permissionTable().flatMap(placesOf);
/** No tenant's. */
const THE_PLATFORMS = ['tenant', 'server'];
/** Whoever runs the platform may see everybody: of theirs, those that name a tenant and something in it. */
const places = all.filter(
  ({ row, noun }) =>
    row.demands !== 'platform' ||
    (!THE_PLATFORMS.includes(noun) && placesOf(row).some((other) => other.noun === 'tenant')),
);

function placesOf(row: Row): Place[] {
  const field = schema.getRootType(row.kind as never)!.getFields()[row.name]!;
  const nouns: string[] = [];
  valuesFor(field, (noun) => {
    nouns.push(noun);
    return noun;
  });
  return nouns.map((noun, at) => ({ row, field, at, noun }));
}

let app: TestApp;
let statements: Statements;
let root: Actor;
let ours: { tenant: Tenant; admin: Actor };
let theirs: { tenant: Tenant; admin: Actor };
let foreign: Ids;
let own: Ids;
let asking: [who: string, headers: Headers][];

beforeAll(async () => {
  app = await startApp();
  statements = statementsOf(app);
  root = await superAdmin(app);
  [ours, theirs] = (await Promise.all([1, 2].map(found))) as [typeof ours, typeof theirs];
  foreign = await belongingsOf(app, root, theirs.admin, theirs.tenant);
  own = await ownBelongings();
  const { key } = await made(ours.admin, '/api/api-keys', { name: 'All', scopes: ALL_PERMISSIONS });
  const { body } = await root.rest('POST', `/api/super-admin/tenants/${ours.tenant.id}/impersonate`, {});
  asking = [
    ['an admin', bearer(ours.admin)],
    ['an API key of theirs', { 'x-api-key': key }],
    ['a super admin who impersonates them', bearer(body)],
  ];
});
afterAll(() => app?.stop());

async function found() {
  const tenant = await provision(root);
  return { tenant, admin: await agent(app, tenant.adminEmail, tenant.adminPassword) };
}

const ownBelongings = () => belongingsOf(app, root, ours.admin, ours.tenant);

/** Ours; for a change something new of it, and a session of the one who asks. */
async function spareFor({ row, noun }: Place): Promise<Ids> {
  if (row.kind !== 'mutation') return own;
  if (noun !== 'session') return ownBelongings();
  await agent(app, ours.tenant.adminEmail, ours.tenant.adminPassword);
  const sessions = await ours.admin.rest('GET', '/api/auth/sessions');
  return { session: sessions.body.find(({ current }: { current: boolean }) => !current).id };
}

let addresses = 0;

/** Over GraphQL, and over each route. */
const surfacesOf = ({ routes }: Row) => ['GraphQL', ...routes];

/** The place's id is the given one, all others are our own. */
function attempt({ row, field, at }: Place, surface: string, others: Ids, id: string, headers: Headers) {
  let place = 0;
  const values = valuesFor(field, (noun) => (place++ === at ? id : others[noun]!));
  const input = values.input as Record<string, unknown> | undefined;
  if (input?.email) input.email = `new-${++addresses}@ours.test`;
  return surface === 'GraphQL'
    ? overGraphql(app.url, row.kind, field, values, headers)
    : overRest(app.url, surface, values, headers, description);
}

/** Without what differs between any two requests. */
const comparable = ({ code, status, text }: Outcome, id: string) => ({
  code,
  status,
  text: text.replaceAll(id, 'the id').replace(/("request_?[iI]d":)"[^"]+"/g, '$1"one"'),
});

/** What was read, without the values that it was asked with. */
const readings = (texts: string[]) =>
  texts.filter((text) => /^select/i.test(text) && !/pg_notify/.test(text)).map((text) => text.replace(/'[^']*'/g, '?'));

/** An id that nobody has, next to one that somebody has: lists that go by ids begin at the same place. */
const besides = (id: string) => id.slice(0, -1) + (id.endsWith('0') ? '1' : '0');

test('every place that takes an id is known by its noun', async () => {
  const known = Object.keys(foreign);
  const missing = all.filter(({ noun }) => !known.includes(noun));
  expect(
    missing.map(
      ({ row, noun }) =>
        `${row.name} takes the id of a ${noun}: make one in tests/support/belongings.ts, so that another tenant's can be tried`,
    ),
  ).toEqual([]);
  expect(new Set(places.map(({ row }) => row.name)).size).toBeGreaterThan(30);
});

describe.each(places)('$row.kind $row.name with the $noun of another tenant', (place) => {
  const { row, noun } = place;

  test('answers as it does for an id that nobody has, and neither reads nor changes anything of theirs', async () => {
    const callers = row.demands === 'platform' ? [['a super admin', bearer(root)] as const] : asking;
    const [theirId, nobodys] = [foreign[noun]!, besides(foreign[noun]!)];
    const before = await Promise.all([ours, theirs].map(({ tenant }) => contentOfTenant(app, tenant.id)));
    for (const [who, headers] of callers) {
      for (const surface of surfacesOf(row)) {
        const answers: Record<string, object> = {};
        // The first round fills what is kept in memory.
        for (const id of [nobodys, theirId, nobodys, theirId]) {
          const read = await statements.during(async () => {
            answers[id] = comparable(await attempt(place, surface, own, id, headers), id);
          });
          // What has read as much has taken as long.
          Object.assign(answers[id]!, { who, surface, read: readings(read) });
        }
        expect(answers[theirId]).toEqual(answers[nobodys]);
      }
    }
    expect(await Promise.all([ours, theirs].map(({ tenant }) => contentOfTenant(app, tenant.id)))).toEqual(before);
  });

  test('does what it is for with one of their own', async () => {
    const headers = row.demands === 'platform' ? bearer(root) : bearer(ours.admin);
    for (const surface of surfacesOf(row)) {
      const spare = await spareFor(place);
      const { code, text } = await attempt(place, surface, spare, spare[noun]!, headers);
      expect({ surface, code, text }).toEqual({ surface, code: 'ok', text });
    }
  });
});
