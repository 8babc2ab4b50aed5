import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, type Answer, active, agent, anonymous, provision, superAdmin } from './support/actors.ts';
import { ApiDescription } from './support/api-description.ts';
import { SUPER_ADMIN, startApp, type TestApp } from './support/app.ts';
import { expectError } from './support/errors.ts';
import { departures, type SeedOperation, seedOperations } from './support/seed-operations.ts';

const NOBODY = '00000000-0000-7000-8000-000000000000';
const guarded = seedOperations.filter(({ title }) => title !== 'Super-admin login');

let app: TestApp;
let description: ApiDescription;
let admin: Actor;
let tenantUser: Actor;
/** By title: what each operation answered to a request that is in order. */
const answers = new Map<string, Answer<unknown>>();

interface Request {
  id?: string;
  query?: Record<string, string>;
  body?: unknown;
}

const address = ({ path }: SeedOperation, { id = NOBODY, query }: Request) =>
  path.replace('{id}', id) + (query ? `?${new URLSearchParams(query)}` : '');

/** Sends the documented request, its placeholders replaced where they cannot hold. @returns the answer's body. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function ask(title: string, request: Request & { body?: Record<string, unknown> } = {}): Promise<any> {
  const operation = seedOperations.find((candidate) => candidate.title === title)!;
  const body = operation.body && { ...operation.body, ...request.body };
  if (body) expect(description.requestErrors(operation.method, operation.path, body)).toEqual([]);
  const answer = await admin.rest(operation.method, address(operation, request), body);
  answers.set(title, answer);
  return answer.body;
}

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  description = new ApiDescription((await admin.rest('GET', '/api/openapi.json')).body);
  const other = await provision(admin);
  tenantUser = await agent(app, other.adminEmail, other.adminPassword);

  await ask('Super-admin login', { body: SUPER_ADMIN });
  const { id: tenantId } = await ask('Provision a new tenant', { body: { country: 'ID' } });
  await active(admin, tenantId);
  await ask('Get a tenant organization', { id: tenantId });
  await ask('Update a tenant organization', { id: tenantId });
  await ask('Impersonate a tenant admin', { id: tenantId });
  await ask('List all tenant organizations');
  await ask('List all tenants with usage statistics');
  await ask('System health check');

  const { id: adminId } = await ask('Create a super-admin account');
  await ask('List super-admin accounts');
  await ask("Reset a super-admin's password", { id: adminId });
  await ask('Delete a super-admin account', { id: adminId });

  const query = { tenant_id: tenantId };
  const [user] = await ask('List tenant users', { query: { ...query, search: 'TEST@' } });
  for (const title of ["Reset a tenant user's password", 'Suspend a tenant user', 'Activate a tenant user']) {
    await ask(title, { id: user.id, query });
  }
  await ask('Impersonate a tenant user', { id: user.id, query });
  await ask('Suspend a tenant organization', { id: tenantId });
});
afterAll(() => app?.stop());

describe('an answer', () => {
  test.each(seedOperations)('is as described and as in the example: $title', ({ method, path, title, answer }) => {
    const { status, headers, body } = answers.get(title)!;
    const created = ['Provision a new tenant', 'Create a super-admin account'].includes(title);
    expect([status, headers.get('content-type')]).toEqual([created ? 201 : 200, 'application/json; charset=utf-8']);
    expect(description.answerErrors(method, path, status, body)).toEqual([]);
    // The contract adds these two to the components of the health report (section 2, "Health").
    const known = departures(body, answer).filter((line) => !/\.(latency_ms|error) is not in the example$/.test(line));
    expect(known).toEqual([]);
  });

  test('to a sign-in of a tenant user is as described', async () => {
    const { adminEmail: email, adminPassword: password } = await provision(admin);
    const { status, body } = await anonymous(app).rest('POST', '/api/auth/login', { email, password });
    expect([status, description.answerErrors('POST', '/api/auth/login', status, body)]).toEqual([200, []]);
  });

  test.each(['/api/health', '/readyz'])('to an operator is as described: %s', async (path) => {
    const { status, body } = await anonymous(app).rest('GET', path);
    expect([status, description.answerErrors('GET', path, status, body)]).toEqual([200, []]);
  });
});

describe('an error is as described', () => {
  /** A request that reaches nothing, whoever sends it. */
  const harmless = (operation: SeedOperation, id = NOBODY): [string, string, unknown] => [
    operation.method,
    address(operation, { id, query: operation.query && { tenant_id: id } }),
    operation.body,
  ];

  const expectDescribed = ({ method, path }: SeedOperation, answer: Answer<unknown>, status: number, code: string) => {
    expectError(answer, status, code);
    expect(description.answerErrors(method, path, status, answer.body)).toEqual([]);
  };

  test.each(guarded)('without a token: $title', async (operation) => {
    expectDescribed(operation, await anonymous(app).rest(...harmless(operation)), 401, 'unauthenticated');
  });

  test.each(guarded)("with a tenant user's token: $title", async (operation) => {
    expectDescribed(operation, await tenantUser.rest(...harmless(operation)), 403, 'forbidden');
  });

  test.each(guarded.filter(({ path, query }) => path.includes('{id}') || query))(
    'with an id that is none: $title',
    async (operation) => {
      expectDescribed(operation, await admin.rest(...harmless(operation, 'acme')), 400, 'validation_failed');
    },
  );

  test.each(guarded.filter(({ path, query }) => path.includes('{id}') || query))(
    'with an id that nothing has: $title',
    async (operation) => {
      expectDescribed(operation, await admin.rest(...harmless(operation)), 404, 'not_found');
    },
  );

  test('with a wrong password', async () => {
    const [login] = seedOperations;
    expectDescribed(login!, await anonymous(app).rest(...harmless(login!)), 401, 'unauthenticated');
  });
});
