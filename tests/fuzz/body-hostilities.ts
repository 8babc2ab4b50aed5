/** What is done to a request's body: to what is in it, and to its text. */
import fc from 'fast-check';
import { hostileName, hostileValue } from './hostile-values.ts';
import type { Draft, Twist } from './model.ts';

export type Hostility = (draft: Draft) => Draft;

export const noted = (draft: Draft, what: string, change: Partial<Draft>): Draft => ({
  ...draft,
  ...change,
  hostile: [...draft.hostile, what],
});

/** Every place in a body that holds something, as paths of keys. */
function placesIn(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  const below = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  return [
    ...(at.length > 0 ? [at] : []),
    ...below.flatMap(([key, member]) => placesIn(member, [...at, Array.isArray(value) ? Number(key) : key])),
  ];
}

/** A copy in which one place holds something else; `undefined` takes it out. */
function replaced(value: unknown, [key, ...rest]: (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? replaced(item, rest, by) : item));
  return { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key as string], rest, by) };
}

/** In GraphQL the variables are what counts; the document is twisted elsewhere. */
const inputPlaces = (draft: Draft) => {
  const all = placesIn(draft.body);
  const variables = all.filter(([first, second]) => first === 'variables' && second !== undefined);
  return draft.surface === 'GraphQL' && variables.length > 0 ? variables : all;
};

export const inBody = (what: string, arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Hostility> =>
  fc.tuple(fc.nat({ max: 30 }), arbitrary).map(([n, value]) => (draft: Draft) => {
    const places = inputPlaces(draft);
    const place = places[n % Math.max(places.length, 1)];
    if (!place) return draft;
    return noted(draft, `${what} ${place.join('.')}`, { body: replaced(draft.body, place, value) });
  });

export const wholeBody = fc
  .oneof(hostileValue, fc.constantFrom<unknown>([], {}, null, 5, 'text', true, [{}]))
  .map((body) => (draft: Draft) => {
    const headers = { 'content-type': 'application/json', ...draft.headers };
    return noted(draft, 'another body', { body, headers, described: draft.described && draft.surface === 'REST' });
  });

export const twisted =
  (what: string, part: Twist['part'], change: Twist['change']): Hostility =>
  (draft) => {
    if (part === 'body' && draft.body === undefined) return draft;
    const described = part === 'body' && draft.surface === 'REST' && draft.described;
    return noted(draft, what, { twists: [...draft.twists, { part, change }], described });
  };

const splice = (text: Buffer, at: number, length: number, put: Buffer | string) =>
  Buffer.concat([text.subarray(0, at), Buffer.from(put as string), text.subarray(at + length)]);

/** Behind the n-th opening brace. */
const behindBrace = (text: Buffer, n: number, put: string) => {
  const braces = [...text.entries()].filter(([, byte]) => byte === 0x7b).map(([index]) => index);
  if (braces.length === 0) return text;
  const at = braces[n % braces.length]! + 1;
  const more = text[at] === 0x7d ? '' : ',';
  return splice(text, at, 0, put + more);
};

export const bodyText: fc.Arbitrary<Hostility> = fc.oneof(
  fc
    .tuple(
      hostileName,
      fc.constantFrom('{"polluted":true}', '1', 'null', '{"prototype":{"polluted":true}}', '"x"'),
      fc.nat({ max: 5 }),
    )
    .map(([name, value, n]) =>
      twisted(`member ${name}`, 'body', (text) => behindBrace(text, n, `${JSON.stringify(name)}:${value}`)),
    ),
  fc.nat({ max: 3 }).map((n) =>
    twisted('a member twice', 'body', (text) => {
      const member = /"[^"\\]+":("[^"\\]*"|\d+|true|false|null)/.exec(text.toString())?.[0];
      return member ? behindBrace(text, n, member) : text;
    }),
  ),
  fc.nat({ max: 2000 }).map((n) => twisted('cut off', 'body', (text) => text.subarray(0, n % (text.length + 1)))),
  fc
    .tuple(fc.nat({ max: 2000 }), fc.constantFrom([0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0x00], [0xe2, 0x82]))
    .map(([n, bytes]) =>
      twisted('bytes that are no UTF-8', 'body', (text) => splice(text, n % (text.length + 1), 0, Buffer.from(bytes))),
    ),
  fc
    .constantFrom('}', ']', ',', '{}', '\0', 'x', '//', '\ufeff', ' '.repeat(2000))
    .map((tail) => twisted('more behind it', 'body', (text) => Buffer.concat([text, Buffer.from(tail)]))),
  fc.constant(twisted('the mark of UTF-8', 'body', (text) => Buffer.concat([Buffer.from('\ufeff'), text]))),
  fc.constant(twisted('UTF-16', 'body', (text) => Buffer.from(text.toString(), 'utf16le'))),
  fc.constant(twisted('in a list', 'body', (text) => Buffer.from(`[${text},${text}]`))),
);

export const tooLarge: Hostility = twisted('too large', 'body', (text) =>
  Buffer.concat([text, Buffer.alloc(300_000, ' ')]),
);
