import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, type Answer, agent, anonymous, provision, superAdmin } from './support/actors.ts';
import { ApiDescription } from './support/api-description.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectError } from './support/errors.ts';
import { departures } from './support/seed-operations.ts';
import { type SeedHoursOperation, seedHoursOperations } from './support/seed-working-hours.ts';
import { addUser } from './support/tenants.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';
const guarded = seedHoursOperations.filter(({ permission }) => permission);
const ofDivision = guarded.filter(({ path }) => path.includes('{id}'));

let app: TestApp;
let description: ApiDescription;
let root: Actor;
let admin: Actor;
/** May view divisions, and no more. */
let plain: Actor;
/** May manage divisions, and no settings. */
let supervisor: Actor;
/** By title: what each operation answered to a request that is in order. */
const answers = new Map<string, Answer<unknown>>();

const find = (title: string) => seedHoursOperations.find((operation) => operation.title === title)!;

/** Sends the documented request as it is documented. @returns the answer's body. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function ask(title: string, id = NOBODY, by = admin): Promise<any> {
  const { method, path, body } = find(title);
  if (body) expect(description.requestErrors(method, path, body)).toEqual([]);
  const answer = await by.rest(method, path.replace('{id}', id), body);
  answers.set(title, answer);
  return answer.body;
}

beforeAll(async () => {
  app = await startApp();
  root = await superAdmin(app);
  description = new ApiDescription((await root.rest('GET', '/api/openapi.json')).body);
  const tenant = await provision(root);
  admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const signIn = async (role: string) => {
    const { email } = await addUser(app, tenant.id, { email: `${role}@contract.test`, role });
    return agent(app, email, 'a password');
  };
  [plain, supervisor] = [await signIn('agent'), await signIn('supervisor')];
  const { id: division } = (await admin.rest('POST', '/api/divisions', { name: 'Sales' })).body;

  await ask('Update tenant timezone');
  await ask('Get tenant timezone');
  await ask('Upsert global working hours');
  await ask('List global working hours');
  await ask('Upsert division working hours override', division, supervisor);
  await ask('List division working hours', division, supervisor);
  await ask('Delete division working hours override', division, supervisor);
  await ask('Check working hours status (public)', NOBODY, anonymous(app));
});
afterAll(() => app?.stop());

describe('an answer', () => {
  test.each(seedHoursOperations)('is as described and as in the example: $title', ({ title, method, path, answer }) => {
    const { status, headers, body } = answers.get(title)!;
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(description.answerErrors(method, path, status, body)).toEqual([]);
    // These two are ours: the wall clock in full, and why it is open or closed.
    const ours = ['.local_time is not in the example', '.explanation is not in the example'];
    expect(departures(body, answer)).toEqual(path.endsWith('/status') ? ours : []);
  });

  test.each(seedHoursOperations.filter(({ requiredInAnswer }) => requiredInAnswer))(
    'has all that is marked as required: $title',
    ({ title, requiredInAnswer }) => {
      for (const item of [answers.get(title)!.body].flat()) {
        expect(Object.keys(item as object)).toEqual(expect.arrayContaining(requiredInAnswer!));
      }
    },
  );

  test('names the division in its own entries alone', () => {
    const entries = (title: string) => answers.get(title)!.body as { division_id?: string }[];
    for (const entry of entries('List global working hours')) expect(entry).not.toHaveProperty('division_id');
    const override = entries('Upsert division working hours override');
    expect(override).toHaveLength(1);
    for (const entry of override) expect(entry.division_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('to a division without hours of its own holds the global ones', async () => {
    const { id } = (await admin.rest('POST', '/api/divisions', { name: 'Support' })).body;
    const { path } = find('List division working hours');
    const { body } = await supervisor.rest('GET', path.replace('{id}', id));
    expect(description.answerErrors('GET', path, 200, body)).toEqual([]);
    expect(body).toEqual({
      is_override: false,
      working_hours: (await admin.rest('GET', '/api/working-hours')).body,
    });
  });

  test('of the status leaves out a change that never comes', async () => {
    const week = (start_time: string, end_time: string) => ({
      days: [0, 1, 2, 3, 4, 5, 6].map((day_of_week) => ({ day_of_week, start_time, end_time })),
    });
    const before = (await admin.rest('GET', '/api/working-hours')).body;
    await admin.rest('PUT', '/api/working-hours', week('00:00', '24:00'));
    const { body } = await anonymous(app).rest('GET', '/api/working-hours/status');
    expect(description.answerErrors('GET', '/api/working-hours/status', 200, body)).toEqual([]);
    expect(body).not.toHaveProperty('next_change_at');
    const days = before.map(({ day_of_week, start_time, end_time, is_active }: Record<string, unknown>) => {
      return { day_of_week, start_time, end_time, is_active };
    });
    expect((await admin.rest('PUT', '/api/working-hours', { days })).status).toBe(200);
  });
});

describe('an error is as described', () => {
  const send = (by: Actor, { method, path, body }: SeedHoursOperation, id = NOBODY) =>
    by.rest(method, path.replace('{id}', id), body);

  const expectDescribed = (
    { method, path }: SeedHoursOperation,
    answer: Answer<unknown>,
    status: number,
    code: string,
    fields?: string[],
  ) => {
    expectError(answer, status, code, fields);
    expect(description.answerErrors(method, path, status, answer.body)).toEqual([]);
  };

  test.each(guarded)('without a token: $title', async (operation) => {
    expectDescribed(operation, await send(anonymous(app), operation), 401, 'unauthenticated');
  });

  test.each(guarded)("with a super admin's token: $title", async (operation) => {
    expectDescribed(operation, await send(root, operation), 403, 'forbidden');
  });

  test.each(guarded)('for an agent without $permission: $title', async (operation) => {
    expectDescribed(operation, await send(plain, operation), 403, 'forbidden');
  });

  test.each(guarded.filter(({ permission }) => permission === 'settings.manage'))(
    'for a supervisor without $permission: $title',
    async (operation) => {
      expectDescribed(operation, await send(supervisor, operation), 403, 'forbidden');
    },
  );

  test.each(ofDivision)('with an id that is none: $title', async (operation) => {
    expectDescribed(operation, await send(admin, operation, 'sales'), 400, 'validation_failed', ['id']);
  });

  test.each(ofDivision)('with an id that nothing has: $title', async (operation) => {
    expectDescribed(operation, await send(admin, operation), 404, 'not_found');
  });

  test.each(guarded.filter(({ body }) => body))('with a field that it does not know: $title', async (operation) => {
    const answer = await send(admin, { ...operation, body: { ...operation.body, extra: 1 } });
    expectDescribed(operation, answer, 400, 'validation_failed', ['extra']);
  });

  test.each([
    ['tenant=nobody-at-all', 404, 'not_found', undefined],
    [`division_id=${NOBODY}`, 404, 'not_found', undefined],
    ['division_id=sales', 400, 'validation_failed', ['division_id']],
    ['at=yesterday', 400, 'validation_failed', ['at']],
  ])('of the status: %s', async (query, status, code, fields) => {
    const operation = find('Check working hours status (public)');
    const answer = await anonymous(app).rest('GET', `${operation.path}?${query}`);
    expectDescribed(operation, answer, status, code, fields);
  });

  test('of the status, where nothing says which tenant is meant', async () => {
    const operation = find('Check working hours status (public)');
    await provision(root);
    expectDescribed(operation, await anonymous(app).rest('GET', operation.path), 400, 'tenant_required');
  });
});
