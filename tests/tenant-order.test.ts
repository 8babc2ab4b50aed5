import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { insertTenants } from './support/many-tenants.ts';

const COUNT = 2000;
const FIELDS = ['CREATED_AT', 'NAME', 'SLUG', 'STATUS'] as const;
const ORDERS = FIELDS.flatMap((field) => ['ASC', 'DESC'].map((direction) => ({ field, direction })));

interface Item {
  id: string;
  name: string;
  slug: string;
  status: string;
}

let app: TestApp;
let admin: Actor;

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  await insertTenants(app.databaseUrl, COUNT, {
    slug: "'t-' || md5(n::text)",
    // Many share theirs, and some differ in case alone.
    name: `(array['acme', 'Acme', 'Zenith', 'Über', 'ökö', 'o''Brien', '100% "x"', 'back\\slash'])[1 + n % 8] || ' ' || n % 90`,
    status: `(array['active', 'suspended', 'provisioning', 'active'])[1 + n % 4]`,
  });
});
afterAll(() => app?.stop());

const QUERY = `query ($first: Int, $after: String, $filter: TenantFilter, $order: TenantOrder) {
  tenants(first: $first, after: $after, filter: $filter, order: $order) {
    edges { cursor }
    nodes { id name slug status }
    pageInfo { endCursor hasNextPage }
  }
}`;

interface Wanted {
  first?: number;
  after?: string;
  filter?: object;
  order?: object | null;
}

async function page(variables: Wanted) {
  const { data, errors } = await admin.graphql(QUERY, { ...variables });
  expect(errors).toBeUndefined();
  return data.tenants as {
    edges: { cursor: string }[];
    nodes: Item[];
    pageInfo: { endCursor: string; hasNextPage: boolean };
  };
}

/** All pages; `between` is run after each. */
async function walk(variables: Wanted, between: (page: number) => Promise<void> = async () => {}): Promise<Item[]> {
  const items: Item[] = [];
  for (let after: string | undefined, pages = 1; ; pages += 1) {
    const { nodes, pageInfo } = await page({ ...variables, after });
    items.push(...nodes);
    if (!pageInfo.hasNextPage) return items;
    after = pageInfo.endCursor;
    await between(pages);
  }
}

const STATUSES = ['PROVISIONING', 'ACTIVE', 'SUSPENDED'];
const keys: Record<(typeof FIELDS)[number], (item: Item) => string> = {
  CREATED_AT: () => '',
  NAME: ({ name }) => name.toLowerCase(),
  SLUG: ({ slug }) => slug,
  STATUS: ({ status }) => String(STATUSES.indexOf(status)),
};

/** By the order's key, then by the id; the other way round where it descends. */
function sorted(items: Item[], { field, direction }: (typeof ORDERS)[number]): Item[] {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const ascending = items.toSorted((a, b) => compare(keys[field](a), keys[field](b)) || compare(a.id, b.id));
  return direction === 'ASC' ? ascending : ascending.reverse();
}

describe.each(ORDERS)('tenants by $field $direction', (order) => {
  test('come whole and in order, page by page, while others come in', async () => {
    const before = await walk({ first: 500 });
    const marker = `late-${order.field.toLowerCase().replace('_', '')}-${order.direction.toLowerCase()}`;
    const walked = await walk({ first: 97, order }, (page) =>
      page > 12 ? Promise.resolve() : insertTenants(app.databaseUrl, 3, { slug: `'${marker}-${page}-' || n` }),
    );
    expect(new Set(walked.map(({ id }) => id)).size).toBe(walked.length);
    expect(walked).toEqual(sorted(walked, order));
    const known = new Set(before.map(({ id }) => id));
    expect(walked.filter(({ id }) => known.has(id))).toEqual(sorted(before, order));
  });

  test('are filtered and searched as in any other', async () => {
    const filter = { status: 'SUSPENDED', search: 'ACME' };
    const all = await walk({ first: 500 });
    const wished = all.filter(({ name, status }) => status === 'SUSPENDED' && /acme/i.test(name));
    expect(wished.length).toBeGreaterThan(100);
    expect(await walk({ first: 40, order, filter })).toEqual(sorted(wished, order));
    expect(await walk({ order, filter: { search: '100% "X" 8' } })).toEqual(
      sorted(
        all.filter(({ name }) => name.startsWith('100% "x" 8')),
        order,
      ),
    );
  });

  test('refuse the cursors of every other order, and what is none', async () => {
    const foreign = await Promise.all(
      ORDERS.filter((other) => other !== order).map(async (other) => {
        const { pageInfo } = await page({ first: 1, order: other });
        return pageInfo.endCursor;
      }),
    );
    const own = (await page({ first: 1, order })).pageInfo.endCursor;
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const name = `${order.field.toLowerCase()} ${order.direction.toLowerCase()}`;
    const id = '0198c0de-7b7a-7000-8000-000000000000';
    const garbage = ['', 'x', 'e30', encoded(null), encoded([name]), encoded([name, 'no id']), encoded([name, {}, id])];
    const text = encoded([name, '\0', id]);
    for (const after of [...foreign, ...garbage, text, encoded([name, '\ud800', id]), `${own}x`.slice(1)]) {
      const { data, errors } = await admin.graphql(QUERY, { after, order });
      expect(data).toBeNull();
      expect(errors![0]!.extensions).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: [{ field: 'after', message: 'is not a cursor of this list in this order' }],
      });
    }
  });
});

test('tenants come in the order in which they were made, ascending, unless something else is said', async () => {
  const [plain] = [await page({ first: 5 })];
  expect(plain.edges.map(({ cursor }) => cursor)).toEqual(plain.nodes.map(({ id }) => id));
  for (const order of [null, { field: 'CREATED_AT' }, { field: 'CREATED_AT', direction: null }]) {
    expect(await page({ first: 5, order })).toEqual(plain);
  }
  expect((await page({ first: 3, order: { field: 'NAME' } })).nodes[0]!.name).toMatch(/^100% "x" 0$/);
});

test('the usage of a page comes along in any order', async () => {
  const { data } = await admin.graphql(
    '{ tenants(first: 3, order: { field: NAME, direction: DESC }) { nodes { name usage { agentCount } } } }',
  );
  expect(data.tenants.nodes).toHaveLength(3);
  for (const { usage } of data.tenants.nodes) expect(usage).toEqual({ agentCount: 0 });
});
