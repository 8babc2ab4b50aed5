import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Actor, eventually, pagesOf, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { insertTenants } from './support/many-tenants.ts';
import { addUser, holdProvisioning } from './support/tenants.ts';

let app: TestApp;
let admin: Actor;
let acme: Tenant;

const NAMES = ['100% Cotton', 'snake_case', 'Ünïcödé', "O'Brien", 'Plain One', 'plain two', 'Back\\slash', 'Last'];

beforeAll(async () => {
  app = await startApp();
  admin = await superAdmin(app);
  acme = await provision(admin, { name: 'Acme', slug: 'acme' });
  holdProvisioning(app);
  for (const [n, name] of NAMES.entries()) {
    await admin.rest('POST', '/api/super-admin/tenants', { name, slug: `slug-${n}` });
    await admin.rest('POST', '/api/super-admin/admins', { email: `p${n}@platform.test`, name, password: 'a password' });
    await addUser(app, acme.id, { email: `p${n}@acme.test`, fullName: name });
  }
});
afterAll(() => app?.stop());

type Item = { id: string };
const ids = (items: Item[]) => items.map(({ id }) => id);

const walk = (path: string) => pagesOf<Item>(admin, path);

describe.each(['tenants?', 'usage?', 'admins?', 'users?tenant_id=:acme&', 'users?search=p&tenant_id=:acme&'])(
  'the list %s',
  (list) => {
    const path = (query: string) => `/api/super-admin/${list.replace(':acme', acme.id)}${query}`;

    test('holds everything, in the order of making, unless a page is asked for', async () => {
      const { body, headers } = await admin.rest('GET', path(''));
      expect(body.length).toBeGreaterThanOrEqual(NAMES.length);
      expect(ids(body)).toEqual(ids(body).sort());
      expect(headers.get('link')).toBeNull();
    });

    test.each([1, 2, 3, 4, 9, 500])('gives the same in pages of %i', async (limit) => {
      const { body } = await admin.rest('GET', path(''));
      const pages = await walk(path(`limit=${limit}`));
      expect(ids(pages.flat())).toEqual(ids(body));
      expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      expect(pages.length).toBeLessThanOrEqual(Math.floor(body.length / limit) + 1);
    });

    test('goes on after any item, also without a limit', async () => {
      const { body } = await admin.rest('GET', path(''));
      const after = async (item: Item, more = '') =>
        ids((await admin.rest('GET', path(`after=${item.id}${more}`))).body);
      expect(await after(body[2])).toEqual(ids(body.slice(3)));
      expect(await after(body.at(-1))).toEqual([]);
      expect(await after(body[0], '&limit=2')).toEqual(ids(body.slice(1, 3)));
    });

    test('keeps its place when something is added meanwhile', async () => {
      const first = await admin.rest('GET', path('limit=3'));
      await admin.rest('POST', '/api/super-admin/tenants', { name: 'Late', slug: `late-${Date.now()}` });
      const rest = await admin.rest('GET', path(`after=${first.body.at(-1).id}`));
      const all = await admin.rest('GET', path(''));
      expect(ids([...first.body, ...rest.body])).toEqual(ids(all.body));
    });
  },
);

describe('more tenants than the largest page holds', () => {
  const COUNT = 3203;
  let big: TestApp;
  let owner: Actor;

  beforeAll(async () => {
    big = await startApp();
    // Together more than a socket's buffers hold.
    await insertTenants(big.databaseUrl, COUNT, { slug: "'tenant-' || n", name: "repeat('x', 3000) || n" });
    owner = await superAdmin(big);
  });
  afterAll(() => big?.stop());

  /** Does something before each statement of the list. @returns what ends that. */
  function beforeReads(look: () => void): () => void {
    const { pool } = big.services.control;
    const { query } = pool;
    pool.query = ((...args: Parameters<typeof query>) => {
      if ((args[0] as { name?: string }).name?.startsWith('tenants')) look();
      return query.apply(pool, args);
    }) as typeof query;
    return () => {
      pool.query = query;
    };
  }

  const begin = (method = 'GET') => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { authorization: `Bearer ${owner.token}` };
    const url = `${big.url}/api/super-admin/usage`;
    request(url, { method, headers, agent: false }, resolve).on('error', reject).end();
    return promise;
  };

  test.each(['tenants', 'usage'])('still come whole, written as one array: %s', async (list) => {
    const { body, headers } = await owner.rest<Item[]>('GET', `/api/super-admin/${list}`);
    expect(new Set(ids(body)).size).toBe(COUNT);
    expect([headers.get('link'), headers.get('content-type')]).toEqual([null, 'application/json; charset=utf-8']);
    expect(body).toEqual((await pagesOf(owner, `/api/super-admin/${list}?limit=500`)).flat());
  });

  test('are read no faster than they are taken, and no further once nobody takes them', async () => {
    let reads = 0;
    const end = beforeReads(() => {
      reads += 1;
    });
    try {
      const answer = await begin();
      expect(answer.statusCode).toBe(200);
      let ahead = 0;
      while (ahead !== reads) {
        ahead = reads;
        await sleep(500);
      }
      expect(ahead).toBeLessThan(COUNT / 500);
      answer.destroy();
      await sleep(300);
      expect(reads).toBeLessThanOrEqual(ahead + 1);
      reads = 0;
      const head = await begin('HEAD');
      expect([head.statusCode, head.headers['content-type'], reads]).toEqual([
        200,
        'application/json; charset=utf-8',
        1,
      ]);
    } finally {
      end();
    }
  });

  test('that cannot be read to their end break the connection, so that a part is not taken for the whole', async () => {
    let reads = 0;
    const end = beforeReads(() => {
      reads += 1;
      if (reads >= 3) throw new Error('away');
    });
    try {
      await expect(owner.rest('GET', '/api/super-admin/tenants')).rejects.toThrow();
    } finally {
      end();
    }
  });
});

describe('tenants over GraphQL', () => {
  const tenants = async (args: string) => {
    const query = `{ tenants${args} { edges { cursor node { id name } } nodes { id name } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }`;
    const { data, errors } = await admin.graphql(query);
    expect(errors).toBeUndefined();
    return data.tenants as {
      edges: { cursor: string; node: Item }[];
      nodes: Item[];
      pageInfo: Record<string, unknown>;
    };
  };
  const named = async (filter: string) =>
    (await tenants(`(filter: ${filter})`)).nodes.map((node) => (node as Item & { name: string }).name);

  test('come as a Relay connection whose pages are the whole list', async () => {
    const all = await tenants('');
    const walked: Item[] = [];
    let after = '';
    for (let pages = 0; pages < 20; pages++) {
      const page = await tenants(`(first: 4${after && `, after: "${after}"`})`);
      expect(page.edges.map(({ node }) => node)).toEqual(page.nodes);
      expect(page.pageInfo).toMatchObject({
        startCursor: page.edges[0]?.cursor,
        endCursor: page.edges.at(-1)?.cursor,
        hasPreviousPage: after !== '',
      });
      walked.push(...page.nodes);
      expect(page.pageInfo.hasNextPage).toBe(walked.length < all.nodes.length);
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor as string;
    }
    expect(walked).toEqual(all.nodes);
  });

  test('that end exactly with a page have no next one', async () => {
    const { nodes } = await tenants('');
    expect((await tenants(`(first: ${nodes.length})`)).pageInfo.hasNextPage).toBe(false);
    expect((await tenants(`(first: ${nodes.length - 1})`)).pageInfo.hasNextPage).toBe(true);
    const beyond = await tenants(`(after: "${nodes.at(-1)!.id}")`);
    expect(beyond).toEqual({
      edges: [],
      nodes: [],
      pageInfo: { startCursor: null, endCursor: null, hasNextPage: false, hasPreviousPage: true },
    });
  });

  test('are found by literal text in the name or slug, without case', async () => {
    expect(await named('{ search: "%" }')).toEqual(['100% Cotton']);
    expect(await named('{ search: "_" }')).toEqual(['snake_case']);
    expect(await named('{ search: "\\\\" }')).toEqual(['Back\\slash']);
    expect(await named('{ search: "ünÏC" }')).toEqual(['Ünïcödé']);
    expect(await named(`{ search: "o'b" }`)).toEqual(["O'Brien"]);
    expect(await named('{ search: "PLAIN" }')).toEqual(['Plain One', 'plain two']);
    expect(await named('{ search: "SLUG-4" }')).toEqual(['Plain One']);
    expect(await named('{ search: "nobody at all" }')).toEqual([]);
    expect((await named('{ search: "" }')).length).toBeGreaterThan(NAMES.length);
    expect((await named('{ search: null, status: null }')).length).toBeGreaterThan(NAMES.length);
  });

  test('are filtered by their status, together with the search and the page', async () => {
    await admin.rest('DELETE', `/api/super-admin/tenants/${acme.id}`);
    expect(await named('{ status: SUSPENDED }')).toEqual(['Acme']);
    expect(await named('{ status: SUSPENDED, search: "plain" }')).toEqual([]);
    await admin.rest('PATCH', `/api/super-admin/tenants/${acme.id}`, { status: 'active' });
    const page = await tenants('(first: 1, filter: { search: "plain" })');
    expect(page.pageInfo.hasNextPage).toBe(true);
    const next = await tenants(`(first: 1, after: "${page.pageInfo.endCursor}", filter: { search: "plain" })`);
    expect([next.nodes, next.pageInfo.hasNextPage]).toEqual([[expect.objectContaining({ name: 'plain two' })], false]);
  });

  test('carry how far their provisioning is', async () => {
    const query = `{
      tenants(first: 2, filter: { status: PROVISIONING }) {
        nodes { schemaVersion provisioning { state steps { name state error } } usage { agentCount } }
      }
    }`;
    const { data } = await eventually(
      () => admin.graphql(query),
      (answer) =>
        answer.data.tenants.nodes.every(
          ({ provisioning }: { provisioning: { state: string } }) => provisioning.state === 'RETRYING',
        ),
    );
    for (const node of data.tenants.nodes) {
      expect(node).toMatchObject({ schemaVersion: 0, usage: { agentCount: 0 } });
      expect(node.provisioning.steps.slice(0, 3)).toEqual([
        { name: 'reserve_names', state: 'DONE', error: null },
        { name: 'create_database', state: 'FAILED', error: 'An unexpected error; the log of the gateway names it.' },
        { name: 'apply_schema', state: 'PENDING', error: null },
      ]);
    }
  });
});
