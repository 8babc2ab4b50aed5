/** What is done to a request that would do. Each is a change of a draft; the names go into findings. */
import fc from 'fast-check';
import { bodyText, type Hostility, inBody, noted, tooLarge, twisted, wholeBody } from './body-hostilities.ts';
import { hostileText, hostileValue } from './hostile-values.ts';
import type { Draft } from './model.ts';

/** The same request with something done to it. */
export function hostile(valid: fc.Arbitrary<Draft>): fc.Arbitrary<Draft> {
  return (
    fc
      .tuple(valid, fc.array(hostility, { minLength: 1, maxLength: 3 }))
      .map(([draft, changes]) => changes.reduce((changed, change) => change(changed), draft))
      // Some have nothing to be done to: a request without a body, say.
      .filter((draft) => draft.hostile.length > 0)
  );
}

// --- the request around it

const setHeader = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<Hostility> =>
  values.map((value) => (draft: Draft) => {
    // What Node would not send: it is no header at all.
    const sent = Buffer.from(value, 'utf8')
      .toString('latin1')
      .replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
    return noted(draft, `header ${name}`, { headers: { ...draft.headers, [name]: sent }, described: false });
  });

const headers = fc.oneof(
  setHeader(
    'content-type',
    fc.constantFrom(
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      '',
      'json',
      'application/json; charset=utf-16',
      'application/json;charset=',
      'application/vnd.api+json',
      'text/calendar',
      'application/json, text/plain',
      'application/graphql',
      'a/b'.repeat(200),
    ),
  ),
  setHeader('content-encoding', fc.constantFrom('gzip', 'br', 'deflate, gzip', 'x')),
  setHeader(
    'authorization',
    fc.oneof(
      hostileText,
      fc.constantFrom('Bearer', 'Bearer  ', 'Basic cm9vdDpyb290', 'bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.e30.'),
    ),
  ),
  setHeader('x-api-key', fc.oneof(hostileText, fc.constant(`osk_00000000_${'x'.repeat(43)}`))),
  setHeader(
    'cookie',
    fc.oneof(
      hostileText,
      fc.constantFrom('access_token=%E0%A4%A', 'access_token=x; access_token=y', '=;;=', `a=${'b'.repeat(3000)}`),
    ),
  ),
  setHeader('idempotency-key', hostileText),
  setHeader('x-request-id', hostileText),
  setHeader('x-tenant-slug', hostileText),
  setHeader('x-forwarded-for', hostileText),
  setHeader('host', fc.constantFrom('', 'evil.test', '127.0.0.1:99999', '[::1]', 'a'.repeat(2000), 'x y')),
  setHeader('origin', fc.constantFrom('null', 'https://evil.test', 'x', '')),
  setHeader(
    'accept',
    fc.constantFrom(
      'text/html',
      'application/xml',
      '*/*;q=x',
      'text/event-stream',
      'application/graphql-response+json',
    ),
  ),
  setHeader('if-none-match', fc.constantFrom('*', '"x"', 'W/', 'x')),
  setHeader('range', fc.constantFrom('bytes=0-1', 'bytes=-1')),
  setHeader('x-http-method-override', fc.constantFrom('DELETE', 'PUT')),
  setHeader('upgrade', fc.constantFrom('h2c', 'x')),
  setHeader('expect', fc.constantFrom('x')),
);

const otherMethod = fc
  .constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'SEARCH')
  .map(
    (method) => (draft: Draft) =>
      noted(draft, `as ${method}`, { method, described: draft.described && method === draft.method }),
  );

const query = fc.oneof(
  fc.tuple(fc.nat({ max: 5 }), hostileText).map(([n, value]) => (draft: Draft) => {
    if (draft.query.length === 0) return draft;
    const at = n % draft.query.length;
    const changed = draft.query.map(([name, given], index): [string, string] => [name, index === at ? value : given]);
    return noted(draft, `query ${draft.query[at]![0]}`, { query: changed });
  }),
  fc.constant<Hostility>((draft) =>
    noted(draft, 'query parameters twice', {
      query: [...draft.query, ...draft.query.map(([name]): [string, string] => [name, 'x'])],
    }),
  ),
  fc
    .tuple(
      fc.constantFrom(
        'limit',
        'after',
        'search',
        'tenant_id',
        'division_id',
        'from',
        'format',
        'at',
        'query',
        'variables',
        '__proto__',
        'a[b]',
        'a[]',
        '',
      ),
      hostileText,
    )
    .map(
      ([name, value]) =>
        (draft: Draft) =>
          noted(draft, `query ${name}`, { query: [...draft.query, [name, value] as [string, string]] }),
    ),
);

const address = fc.oneof(
  fc
    .constantFrom(
      '%',
      '%zz',
      '%00',
      '%c0%af',
      '%ff',
      '%E0%A4%A',
      '/',
      '//',
      '/..',
      '/../..',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/x',
      ';x',
      '.json',
      '?',
      '??a=b',
      '#x',
      '?%',
      '?a=%zz',
      '?a=%ff&a=%00',
      '?limit',
      '?=',
      '&&',
      '\\',
      '%0d%0aX-Injected:%201',
    )
    .map((tail) => twisted(`address with ${tail}`, 'url', (text) => Buffer.concat([text, Buffer.from(tail)]))),
  fc.tuple(fc.nat({ max: 4 }), hostileText).map(([n, value]) => {
    const segment = encoded(value);
    return (draft: Draft) => {
      const ids = [...draft.path.matchAll(/@\w+:\w+:\d+@/g)];
      const id = ids[n % Math.max(ids.length, 1)];
      if (!id) return draft;
      const path = draft.path.slice(0, id.index) + segment + draft.path.slice(id.index + id[0].length);
      return noted(draft, 'an id in the address', { path, described: draft.described && !/^$|[/.]/.test(segment) });
    };
  }),
);

/** As encodeURIComponent does it, also for what is no text. */
export const encoded = (value: string): string => encodeURIComponent(value.toWellFormed());

// --- GraphQL documents

const document = fc.oneof(
  hostileText.map((text) => (query: string) => text || query),
  fc.nat({ max: 300 }).map((n) => (query: string) => query.slice(0, n)),
  fc
    .constantFrom(
      '\0',
      '¿',
      '"""',
      '$x',
      '@skip(if: true)',
      '@deprecated',
      '...on X{y}',
      '#',
      '{',
      '}',
      '\ufeff',
      '!',
      '__typename',
      'id',
    )
    .chain((put) => fc.nat({ max: 300 }).map((n) => (query: string) => query.slice(0, n) + put + query.slice(n))),
  fc.integer({ min: 2, max: 60 }).map((n) => (query: string) => {
    const [, head, field] = /^([^{]*)\{ (.*) \}$/s.exec(query) ?? [];
    return field ? `${head}{ ${Array.from({ length: n }, (_, index) => `a${index}: ${field}`).join(' ')} }` : query;
  }),
  fc.integer({ min: 2, max: 400 }).map((n) => (query: string) => `${query} ${'query A { me { id } } '.repeat(n)}`),
  fc
    .constantFrom(1, 5, 20, 200, 2000)
    .map((n) => () => `{ __schema { types ${'{ fields { type '.repeat(n)} { name } ${'} } '.repeat(n)} } }`),
  fc.constantFrom(10, 1000, 5000).map((n) => () => `{ tenants(first: ${'['.repeat(n)}) { nodes { id } } }`),
  fc.constant(() => 'query { me { ...A } } fragment A on Me { ...B } fragment B on Me { ...A }'),
  fc.constant(() => '{ __typename @include(if: true) @include(if: false) @skip(if: null) }'),
  fc
    .constantFrom('mutation', 'query', 'subscription', 'fragment', '')
    .map((kind) => (query: string) => query.replace(/^\w+/, kind)),
);

/** On a GraphQL body only; on others it is another body. */
const ofGraphql = fc.oneof(
  document.map((change) => (draft: Draft) => {
    const { query, ...rest } = (draft.body ?? {}) as { query?: string };
    if (draft.surface !== 'GraphQL' || typeof query !== 'string') return draft;
    return noted(draft, 'the document', { body: { ...rest, query: change(query) }, described: false });
  }),
  fc
    .tuple(fc.constantFrom('query', 'variables', 'operationName', 'extensions'), hostileValue)
    .map(([name, value]) => (draft: Draft) => {
      if (draft.surface !== 'GraphQL') return draft;
      return noted(draft, name, { body: { ...(draft.body as object), [name]: value }, described: false });
    }),
  fc.integer({ min: 0, max: 50 }).map((n) => (draft: Draft) => {
    if (draft.surface !== 'GraphQL') return draft;
    return noted(draft, `${n} operations at once`, {
      body: Array.from({ length: n }, () => draft.body),
      described: false,
    });
  }),
  fc.constantFrom('1', '').map((preflight) => (draft: Draft) => {
    if (
      draft.surface !== 'GraphQL' ||
      typeof draft.body !== 'object' ||
      draft.body === null ||
      Array.isArray(draft.body)
    )
      return draft;
    const query = Object.entries(draft.body).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : String(JSON.stringify(value)),
    ]);
    const headers: Record<string, string> = preflight ? { 'apollo-require-preflight': preflight } : {};
    return noted(draft, 'by GET', { method: 'GET', query, headers, body: undefined, described: false });
  }),
);

const hostility: fc.Arbitrary<Hostility> = fc.oneof(
  { weight: 8, arbitrary: inBody('value of', hostileValue) },
  { weight: 2, arbitrary: inBody('without', fc.constant(undefined)) },
  { weight: 1, arbitrary: wholeBody },
  { weight: 3, arbitrary: bodyText },
  { weight: 3, arbitrary: headers },
  { weight: 1, arbitrary: otherMethod },
  { weight: 3, arbitrary: query },
  { weight: 2, arbitrary: address },
  { weight: 3, arbitrary: ofGraphql },
);

/** Rare, for what it weighs. */
export const oversized = (valid: fc.Arbitrary<Draft>): fc.Arbitrary<Draft> => valid.map(tooLarge);
