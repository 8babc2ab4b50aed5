import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { insertTenants } from './support/many-tenants.ts';

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  await insertTenants(app.databaseUrl, 1, { slug: "'acme'" });
  await insertTenants(app.databaseUrl, 3, { slug: "'kopi-kita' || case when n > 1 then '-' || n else '' end" });
});
afterAll(() => app?.stop());

async function check(slug: string) {
  const query = 'query ($slug: String!) { slugCheck(slug: $slug) { slug available reason suggestion } }';
  const { data, errors } = await admin.graphql(query, { slug });
  expect(errors).toBeUndefined();
  return data.slugCheck;
}

const suggestion = (name: string) => admin.graphql('query ($name: String!) { suggestSlug(name: $name) }', { name });

/** Tries to make a tenant of it. */
const provision = (slug: string) => admin.rest('POST', '/api/super-admin/tenants', { name: 'Any', slug });

describe('whether a slug can be had', () => {
  test('is said with nothing more where it can, and it can indeed', async () => {
    expect(await check('new-one')).toEqual({ slug: 'new-one', available: true, reason: null, suggestion: null });
    expect((await provision('new-one')).status).toBe(201);
    expect(await check('new-one')).toMatchObject({ available: false, reason: 'is taken', suggestion: 'new-one-2' });
  });

  test.each([
    ['acme', 'is taken', 'acme-2'],
    ['kopi-kita', 'is taken', 'kopi-kita-4'],
    ['admin', 'is a reserved word', 'admin-2'],
    ['ab', 'must have at least 3 characters', 'ab-2'],
    ['Acme Two', 'may hold a-z, 0-9 and "-", must start with a letter and not end in "-"', 'acme-two'],
    ['7-eleven', 'may hold a-z, 0-9 and "-", must start with a letter and not end in "-"', 'org-7-eleven'],
    ['', 'must have at least 3 characters', 'org'],
    ['x'.repeat(64), 'must have at most 63 characters', 'x'.repeat(50)],
    ['nul\0', 'may hold a-z, 0-9 and "-", must start with a letter and not end in "-"', 'nul'],
  ])('is said with the reason where it cannot: %j %s', async (slug, reason, suggestion) => {
    expect(await check(slug)).toEqual({ slug, available: false, reason, suggestion });
    expect([400, 409]).toContain((await provision(slug)).status);
    expect(await check(suggestion)).toMatchObject({ available: true });
  });
});

describe('a slug made from a name', () => {
  test.each([
    ['Warung Bu Ani', 'warung-bu-ani'],
    ['  Café Ünïcödé  ', 'cafe-uenicoede'],
    ['ACME', 'acme-2'],
    ['Kopi Kita!', 'kopi-kita-4'],
    ['123', 'org-123'],
    ['株式会社', 'org'],
    ['API', 'api-2'],
    [`${'long '.repeat(39)}name`, 'long-long-long-long-long-long-long-long-long-long'],
  ])('of %j is %s', async (name, slug) => {
    expect((await suggestion(name)).data).toEqual({ suggestSlug: slug });
    expect(await check(slug)).toMatchObject({ available: true });
  });

  test('is refused for what no tenant can be called', async () => {
    for (const name of ['', '   ', 'x'.repeat(201), 'nul\0']) {
      const { errors } = await suggestion(name);
      expect(errors![0]!.extensions).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: 'name' }] });
    }
  });
});
