import { glob, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  concatAST,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  separateOperations,
  specifiedRules,
  validate,
} from 'graphql';
import { buildGatewaySchema } from '../src/schema/build-schema.ts';
import { costOf, MOST_COST } from '../src/schema/cost.ts';
import { documentRules, MOST_TOKENS } from '../src/schema/limits.ts';
import { type Actor, eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { streamed } from './support/event-streams.ts';
import { send } from './support/http.ts';
import { admittedSocket, bearer, closeSockets } from './support/sockets.ts';
import { largestVariables } from './support/variables.ts';

let app: TestApp;
let root: Actor;
let production: TestApp;
let schema: GraphQLSchema;

beforeAll(async () => {
  schema = await buildGatewaySchema();
  app = await startApp();
  production = await startApp({ NODE_ENV: 'production', JWT_SECRET }, app.databaseUrl);
  root = await superAdmin(app);
});
afterAll(async () => {
  closeSockets();
  await production?.stop();
  await app?.stop();
});

interface Refused {
  message: string;
  code: string;
}

type Ask = (query: string, variables?: object, on?: TestApp) => Promise<{ status?: number; errors?: Refused[] }>;

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
const said = ({ errors }: any): Refused[] | undefined =>
  errors?.map(({ message, extensions }: { message: string; extensions: { code: string } }) => ({
    message,
    code: extensions.code,
  }));

/** The ways in which an operation can come. */
const ways: [string, Ask][] = [
  [
    'POST',
    async (query, variables, on = app) => {
      const headers = { authorization: `Bearer ${root.token}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ query, variables });
      const { status, text } = await send(on.url, 'POST', '/graphql', { headers, body });
      return { status, errors: said(JSON.parse(text)) };
    },
  ],
  [
    'GET',
    async (query, variables, on = app) => {
      const asked = new URLSearchParams({ query, ...(variables && { variables: JSON.stringify(variables) }) });
      const headers = { authorization: `Bearer ${root.token}`, 'apollo-require-preflight': '1' };
      const { status, text } = await send(on.url, 'GET', `/graphql?${asked}`, { headers });
      return { status, errors: said(JSON.parse(text)) };
    },
  ],
  [
    'a socket',
    async (query, variables, on = app) => {
      const raw = await admittedSocket(on, bearer(root));
      raw.send({ id: 'a', type: 'subscribe', payload: { query, variables } });
      const answered = ({ type }: { type: string }) => type === 'next' || type === 'error';
      await eventually(
        async () => raw.messages,
        (messages) => messages.some(answered),
      );
      const { payload } = raw.messages.find(answered);
      raw.socket.close();
      return { errors: said(Array.isArray(payload) ? { errors: payload } : payload) };
    },
  ],
  [
    'an event stream',
    async (query, variables, on = app) => {
      const [first] = await Array.fromAsync(streamed(on, { query, variables }, bearer(root)));
      return { errors: said(first!.data) };
    },
  ],
];

const many = (count: number, text: (n: number) => string) => Array.from({ length: count }, (_, n) => text(n)).join(' ');
const tenants = (first: string, directive = '') =>
  `tenants(first: ${first}) ${directive} { nodes { usage { agentCount } } edges { node { id } } }`;

describe.each(ways)('over %s', (_, ask) => {
  const refused = async (query: string, message: RegExp, variables?: object) => {
    const { status = 400, errors } = await ask(query, variables);
    expect({ status, errors }).toEqual({
      status: 400,
      errors: expect.arrayContaining([{ message: expect.stringMatching(message), code: 'VALIDATION_FAILED' }]),
    });
  };

  test('what is nested too deeply is refused', () =>
    refused(`{ tenants { ${'nodes { '.repeat(12)} id ${'}'.repeat(12)} } }`, /nested deeper than 12 levels/));

  test('too many aliases are refused, and as many as one may have are not', async () => {
    await refused(`{ me { ${many(31, (n) => `a${n}: id`)} } }`, /more than 30 aliases/);
    expect((await ask(`{ me { ${many(30, (n) => `a${n}: id`)} } }`)).errors).toBeUndefined();
  });

  test('too many words are refused', () =>
    refused(`{ me { ${'id '.repeat(MOST_TOKENS)} } }`, /Document contains more/));

  test('what may answer too much is refused, whether its size is written or a variable, and less of it is not', async () => {
    const query = `{ ${many(12, (n) => `a${n}: ${tenants('500')}`)} }`;
    await refused(query, /may hold 30000 objects.*"first"/);
    const asked = `query ($n: Int) { ${many(12, (n) => `a${n}: ${tenants('$n')}`)} }`;
    await refused(asked, /may hold 30000 objects/, { n: 500 });
    expect((await ask(asked, { n: 2 })).errors).toBeUndefined();
    await refused(asked, /may hold 30000 objects/, { n: 500 });
  });

  test('a size that is null is not the one that holds where none is given', async () => {
    const asked = (text: string) =>
      `query ($n: Int = 1) { upgradeRuns(first: 50) { nodes { tenants(first: $n) { state } } } } # ${text}`;
    expect((await ask(asked('absent, then null'))).errors).toBeUndefined();
    await refused(asked('absent, then null'), /may hold 25100 objects/, { n: null });
    await refused(asked('null, then absent'), /may hold 25100 objects/, { n: null });
    expect((await ask(asked('null, then absent'))).errors).toBeUndefined();
  });

  test('what a directive leaves out does not count, and counts again where it does not', async () => {
    const query = `query ($all: Boolean!) { ${many(12, (n) => `a${n}: ${tenants('500', '@include(if: $all)')}`)} me { id } }`;
    expect((await ask(query, { all: false })).errors).toBeUndefined();
    await refused(query, /may hold 30001 objects/, { all: true });
  });

  test('fragments that spread fragments without end are refused before they are walked', () =>
    refused(
      `{ me { ...F0 } } ${many(40, (n) => `fragment F${n} on Me { ${n < 39 ? `...F${n + 1} ... { ...F${n + 1} }` : 'id'} }`)}`,
      /maximum allowed number of nodes/,
    ));

  test('in production nothing of the schema is told: neither by asking for it nor by suggestions', async () => {
    for (const query of ['{ __schema { queryType { name } } }', '{ __type(name: "Me") { name } }']) {
      const { errors } = await ask(query, undefined, production);
      expect(errors![0]).toEqual({ message: expect.stringMatching(/introspection/i), code: 'VALIDATION_FAILED' });
    }
    for (const [query, variables] of [
      ['{ mee { id } }'],
      ['{ me { emial } }'],
      ['{ tenants(frist: 1) { nodes { id } } }'],
      ['{ tenants(filter: { statu: ACTIVE }) { nodes { id } } }'],
      ['{ tenants(filter: { status: ACTIV }) { nodes { id } } }'],
      ['query ($f: TenantFilter) { tenants(filter: $f) { nodes { id } } }', { f: { statu: 'ACTIVE' } }],
      ['query ($f: TenantFilter) { tenants(filter: $f) { nodes { id } } }', { f: { status: 'ACTIV' } }],
    ] as [string, object?][]) {
      const { errors } = await ask(query, variables, production);
      expect(errors!.map(({ code }) => code)).toContain('VALIDATION_FAILED');
      expect(JSON.stringify(errors)).not.toMatch(/did you mean/i);
      expect(JSON.stringify((await ask(query, variables)).errors)).toMatch(/Did you mean/);
    }
  });
});

describe('documents of our own', () => {
  const inFiles = async (pattern: string) => {
    const files = await Array.fromAsync(glob(pattern));
    const texts = await Promise.all(files.sort().map((file) => readFile(file, 'utf8')));
    return separateOperations(concatAST(texts.map((text) => parse(text))));
  };
  const operationOf = (document: DocumentNode) =>
    document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;

  test.each([
    ['the console and the playground', 'web/src/{api,screens,shell,ui}/**/*.graphql', 30],
    ['the REST routes', 'src/rest/operations/*.graphql', 50],
    ['the examples', 'docs/examples/*.graphql', 1],
  ])('%s: each keeps to every limit, with the largest pages that there are', async (_, pattern, atLeast) => {
    const documents = Object.entries(await inFiles(pattern));
    expect(documents.length).toBeGreaterThanOrEqual(atLeast);
    const rules = [...specifiedRules, ...documentRules({ introspection: false })];
    for (const [name, document] of documents) {
      expect([name, validate(schema, document, rules)]).toEqual([name, []]);
      const operation = operationOf(document);
      const cost = costOf(schema, document, operation, largestVariables(schema, operation));
      if (process.env.PRINT) process.stdout.write(`${name} ${cost}\n`);
      expect([name, cost <= MOST_COST]).toEqual([name, true]);
    }
  });
});
