import { glob, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keys } from '../src/db/keys.ts';
import { storedSecrets } from '../src/db/secrets.ts';
import { hashPassword, verifyPassword } from '../src/domain/passwords.ts';
import { newPassword } from '../src/domain/rules.ts';
import { madePassword } from '../web/src/ui/made-password.ts';
import { provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { titlesOf } from './support/titles.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await provision(await superAdmin(app));
});
afterAll(async () => {
  await cleanUp();
  await app?.stop();
});

test('are kept as argon2id with the parameters that docs/security.md states', async () => {
  const rows = await sql<{ hash: string }>(
    app.databaseUrl,
    'select password_hash as hash from super_admins union all select password_hash from identities',
  );
  expect(rows.length).toBeGreaterThan(1);
  for (const { hash } of rows) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(new Set(rows.map(({ hash }) => hash.split('$')[4])).size).toBe(rows.length);
  expect(await readFile('docs/security.md', 'utf8')).toContain('argon2id with 19 MiB, two passes and one lane');
});

describe("the passwords of tenants' databases", () => {
  test('are sealed by a key that is in no database', async () => {
    const [row] = await sql<{ sealed: string }>(
      app.databaseUrl,
      'select sealed_password as sealed from tenant_databases',
    );
    const password = app.services.keys.open(row!.sealed);
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(Buffer.from(row!.sealed, 'base64').includes(password)).toBe(false);
    expect(() => new Keys('another secret, which is long enough as well').open(row!.sealed)).toThrow();
    const altered = Buffer.from(row!.sealed, 'base64');
    altered[altered.length - 1]! ^= 1;
    expect(() => app.services.keys.open(altered.toString('base64'))).toThrow();
  });
});

describe('packages', () => {
  test('are pinned exactly, each held to its digest', async () => {
    const read = async (file: string) => JSON.parse(await readFile(file, 'utf8'));
    const { dependencies, devDependencies, optionalDependencies } = await read('package.json');
    const wanted: string[] = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(wanted.length).toBeGreaterThan(30);
    expect(wanted.filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    const locked = Object.entries<{ integrity?: string }>((await read('package-lock.json')).packages);
    const unheld = locked.filter(([path, { integrity }]) => path !== '' && !integrity?.startsWith('sha512-'));
    expect(unheld.map(([path]) => path)).toEqual([]);
  });
});

describe('passwords', () => {
  test('may hold anything, from 8 characters to 1024, and are taken as they come', async () => {
    for (const password of ['aaaaaaaa', '12345678', ' '.repeat(8), ' Ünïcödé 🔑 ', 'x'.repeat(64), 'x'.repeat(1024)])
      expect(newPassword.parse(password)).toBe(password);
    for (const unfit of ['x'.repeat(7), 'x'.repeat(1025)]) expect(newPassword.safeParse(unfit).success).toBe(false);
    const password = ` ${'Long'.repeat(200)} `;
    const hash = await hashPassword(password);
    const others = [password.trim(), password.toLowerCase(), password.slice(0, -1), `${password} `];
    const taken = await Promise.all([password, ...others].map((tried) => verifyPassword(hash, tried)));
    expect(taken).toEqual([true, ...others.map(() => false)]);
  });

  test('that the console proposes have 128 random bits and more, in letters that are not taken for others', () => {
    const made = Array.from({ length: 500 }, madePassword);
    const all = made.join('');
    const letters = new Set(all);
    expect([...letters].join('')).not.toMatch(/[il1oO0I]|[^a-zA-Z0-9]/);
    for (const password of made) expect(password.length * Math.log2(letters.size)).toBeGreaterThan(128);
    // Of each as many as of any other, but for chance: six deviations.
    const mean = all.length / letters.size;
    for (const letter of letters)
      expect(Math.abs(all.split(letter).length - 1 - mean)).toBeLessThan(6 * Math.sqrt(mean));
  });
});

describe('secrets', () => {
  test('that nobody gave are in a file that its owner alone can read', async () => {
    const folder = await temporaryFolder();
    const { jwtSecret } = await storedSecrets(folder);
    expect(jwtSecret).toHaveLength(64);
    expect((await stat(join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });
});

describe('the sources', () => {
  /** What a pattern finds, by file. */
  async function found(pattern: RegExp, ...folders: string[]): Promise<[file: string, what: string][]> {
    const files = await Array.fromAsync(glob(folders.map((folder) => `${folder}/**/*.{ts,tsx}`)));
    expect(files.length).toBeGreaterThan(100);
    const texts = await Promise.all(files.sort().map((file) => readFile(file, 'utf8')));
    return texts.flatMap((text, at) =>
      [...text.matchAll(pattern)].map((m): [string, string] => [files[at]!, m[1] ?? m[0]]),
    );
  }

  /** What says by which algorithm; `pbkdf2` is called through `promisify`. */
  const ALGORITHM = /\b(?:create(?:Hash|Hmac|Cipheriv|Decipheriv)|hkdfSync|pbkdf2\)?)\(/g;
  const NAMED_ALGORITHM = new RegExp(`${ALGORITHM.source}(?:[\\w\\s,]*,)?\\s*'([^']+)'`, 'g');
  /** Cryptography other than by what is imported by name. */
  const OTHER_CRYPTO =
    /\b(?:webcrypto|subtle)\b|\bcrypto\.\w+\(|(?<!from )['"](?:node:)?crypto['"]|\bfrom ['"]crypto['"]/g;
  const IN_PAGES =
    /\b(?:(?:inner|outer|insertAdjacent|dangerouslySetInner|set)HTML\w*|document\.write\w*|createContextualFragment|DOMParser|srcDoc)\b/g;
  const HTML =
    /<!doctype|<\/?(?:html|head|body|div|span|p|a|b|script|style|link|img|iframe|svg|form|table)\b|text\/html/g;
  const SHELL =
    /['"`](?:\/(?:usr\/)?bin\/)?(?:(?:ba|da|z|k|c|tc|fi|pw)?sh|env|busybox|cmd(?:\.exe)?|powershell(?:\.exe)?)['"`]|\bshell:|[{,]\s+shell\s*[,}]/g;
  const COMPILED = /(?<!\.|async )\beval\(|\bFunction\(|['"](?:node:)?vm['"]/g;

  test.each([
    [
      'algorithms',
      ALGORITHM,
      ["createHash('md5')", 'createHmac(name, key)', "promisify(pbkdf2)(password, salt, 1, 32, 'md5')"],
    ],
    ['names of algorithms', NAMED_ALGORITHM, ["createHash('md5')", "promisify(pbkdf2)(password, salt, 1, 32, 'md5')"]],
    [
      'other cryptography',
      OTHER_CRYPTO,
      ["crypto.hash('md5', text)", 'crypto.subtle', "await import('node:crypto')", "from 'crypto'"],
    ],
    ['HTML in pages', IN_PAGES, ['node.innerHTML = text', 'setHTMLUnsafe(text)', 'document.writeln(text)']],
    ['HTML of the server', HTML, ["'<p>' + name", "'</div>'", "type('text/html')", '<!doctype html>']],
    [
      'shells',
      SHELL,
      ["spawn('sh', ['-c', text])", "spawn('/bin/bash')", '{ shell: true }', '{ cwd, shell }', '"/usr/bin/env"'],
    ],
    ['compiled text', COMPILED, ['eval(text)', 'new Function(text)', "from 'node:vm'"]],
  ])('are searched for %s by a pattern that finds them', (_, pattern, texts) => {
    for (const text of texts) expect(text).toMatch(new RegExp(pattern.source));
  });

  test('hash, encrypt and draw by the algorithms that docs/asvs.md names', async () => {
    const imports = await found(/import (?:type )?\{([^}]*)\} from 'node:crypto'/g, 'src');
    const names = imports.flatMap(([file, text]) =>
      text.split(',').flatMap((name): [string, string][] => (name.trim() ? [[name.trim(), file]] : [])),
    );
    expect([...new Set(names.map(([name]) => name.replace(/^type /, '')))].sort()).toEqual([
      'KeyObject',
      'createCipheriv',
      'createDecipheriv',
      'createHash',
      'createHmac',
      'createSecretKey',
      'hkdfSync',
      'pbkdf2',
      'randomBytes',
      'randomInt',
      'randomUUID',
    ]);
    expect(names.filter(([name]) => name === 'pbkdf2')).toEqual([['pbkdf2', 'src/db/scram.ts']]);
    expect(await found(/node:crypto/g, 'src')).toHaveLength(imports.length);
    expect(await found(OTHER_CRYPTO, 'src')).toEqual([]);

    const made = await found(NAMED_ALGORITHM, 'src');
    expect(new Set(made.map(([, name]) => name))).toEqual(new Set(['sha256', 'aes-256-gcm']));
    expect(await found(ALGORITHM, 'src')).toHaveLength(made.length);
    // It says how long to wait, and nothing that is not to be guessed.
    expect(await found(/Math\.random/g, 'src')).toEqual([['src/domain/idempotency.ts', 'Math.random']]);
  });

  test('write HTML by hand for one page alone, which is constant', async () => {
    expect(await found(IN_PAGES, 'web/src')).toEqual([]);
    expect(new Set((await found(HTML, 'src')).map(([file]) => file))).toEqual(new Set(['src/pages.ts']));
    const pages = await readFile('src/pages.ts', 'utf8');
    const [, page] = /^const API_DOCS = `([^`]*)`;$/m.exec(pages)!;
    expect(page).not.toContain('${');
    expect(pages.replace(page!, '').match(HTML)).toEqual(['text/html']);
    expect(pages).toContain("type('text/html; charset=utf-8').send(API_DOCS)");
  });

  test('give a shell one text alone, which is constant, and compile code in two places alone', async () => {
    const imported = await found(/import \{([^}]*)\} from 'node:child_process'/g, 'src');
    expect(imported.length).toBeGreaterThan(1);
    expect(await found(/child_process/g, 'src')).toHaveLength(imported.length);
    // What the others take is a list of words, which no shell reads.
    expect(imported.filter(([, names]) => /\bexec(Sync)?\b/.test(names))).toEqual([]);
    expect(await found(SHELL, 'src')).toEqual([['src/db/embedded-server.ts', "'/bin/sh'"]]);
    const server = await readFile('src/db/embedded-server.ts', 'utf8');
    // What follows the text are words that it is given.
    expect(server).toMatch(/spawn\(\s*'\/bin\/sh',\s*\[\s*'-c',\s*GUARD,/);
    expect(server).toMatch(/^const GUARD =\s*'[^'\n]*';$/m);

    expect(await found(/rejectUnauthorized(?!\?: boolean| === )/g, 'src', 'web/src')).toEqual([]);
    expect(await found(COMPILED, 'src', 'web/src')).toEqual([
      ['src/db/rows-query.ts', 'Function('],
      ['src/schema/answer-builder.ts', 'Function('],
    ]);
  });
});

/** The requirements of ASVS 5.0.0 that are of level 1 or 2: by chapter, each section with its numbers. */
const REQUIREMENTS: Record<number, string> = {
  1: '1.1-2 2.1-9 3.1-11 4.1-3 5.1-2',
  2: '1.1-3 2.1-3 3.1-4 4.1',
  3: '2.1-2 3.1-4 4.1-6 5.1-5 7.1-2',
  4: '1.1-3 2.1 3.1-2 4.1-4',
  5: '1.1 2.1-3 3.1-2 4.1-3',
  6: '1.1-3 2.1-12 3.1-4 4.1-4 5.1-5 6.1-3 8.1-4',
  7: '1.1-3 2.1-4 3.1-2 4.1-5 5.1-2 6.1-2',
  8: '1.1-2 2.1-3 3.1 4.1',
  9: '1.1-3 2.1-4',
  10: '1.1-2 2.1-2 3.1-4 4.1-11 5.1-5 6.1-2 7.1-3',
  11: '1.1-2 2.1-3 3.1-3 4.1-4 5.1 6.1',
  12: '1.1-3 2.1-2 3.1-4',
  13: '1.1 2.1-5 3.1-2 4.1-5',
  14: '1.1-2 2.1-4 3.1-3',
  15: '1.1-3 2.1-3 3.1-7',
  16: '1.1 2.1-5 3.1-4 4.1-3 5.1-3',
  17: '1.1 2.1-4 3.1-2',
};
const OF_LEVEL = { 1: 70, 2: 183 };

describe('docs/security.md and docs/asvs.md', () => {
  const pages = async () => Promise.all(['security', 'asvs'].map((name) => readFile(`docs/${name}.md`, 'utf8')));
  const rowsOf = (text: string) =>
    [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row!.split(' | ').map((cell) => cell.trim()));
  /** How a requirement holds, in the order of the summary's columns. */
  const WAYS = [/tests\//, /^by construction: /, /^not applicable: /, /^deviation: /];
  const wayOf = (how: string) => WAYS.findLastIndex((way) => way.test(how));

  test('name tests that are there', async () => {
    const named = [...(await pages()).join().matchAll(/(tests\/[\w-]+\.test\.ts)(?:: "([^"]+)")?/g)];
    expect(named.length).toBeGreaterThan(150);
    const titles = new Map<string, Set<string>>();
    for (const file of new Set(named.map(([, file]) => file!)))
      titles.set(file, await titlesOf(await readFile(file, 'utf8')));
    expect(named.filter(([, file, title]) => title && !titles.get(file!)!.has(title)).map(([name]) => name)).toEqual(
      [],
    );
  });

  test('are held to titles of tests, not to texts that stand in a suite', async () => {
    const suite = `
      describe('a group', () => {
        test.each([['a row', 1]])('of each: %s', () => ask('a call'));
        test.each<[string]>([['another row']])("is 'quoted'", (name) => expect(name)('an answer'));
        test(\`in backticks\`, async () => { expect(await ask('a second call')).toBe('a value'); });
      });
      describe.each(['b'])('a group of each', () => test(\`put \${'together'}\`, () => {}));
      test.skip('left out', () => {});
      describe.skip('a group left out', () => { test('of it', () => {}); });
      describe.skip.each(['c'])('groups left out', () => { describe('within', () => test('of them', () => {})); });
      describe.skip.each\`letter \${'d'}\`('a group of a table left out', () => { test('of that', () => {}); });
      // test('in a comment', () => {});
      const text = "test('in a text', () => {})";
      regex.test('a pattern');`;
    expect([...(await titlesOf(suite))]).toEqual(['of each: %s', "is 'quoted'", 'in backticks']);
  });

  test('have a row for each requirement, as many as the summary says, and explain each deviation', async () => {
    const [security, asvs] = (await pages()) as [string, string];
    const rows = rowsOf(asvs).filter(([number]) => /^\d+\.\d+\.\d+$/.test(number!));
    const wanted = Object.entries(REQUIREMENTS).flatMap(([chapter, sections]) =>
      sections.split(' ').flatMap((section) => {
        const [, name, first, last = first] = /^(\d+)\.(\d+)(?:-(\d+))?$/.exec(section)!;
        return Array.from(
          { length: Number(last) - Number(first) + 1 },
          (_, n) => `${chapter}.${name}.${Number(first) + n}`,
        );
      }),
    );
    expect(rows.map(([number]) => number)).toEqual(wanted);
    for (const [level, count] of Object.entries(OF_LEVEL))
      expect(rows.filter(([, of]) => of === level)).toHaveLength(count);

    const counts = (of: string[][]) => WAYS.map((_, way) => of.filter(([, , , how]) => wayOf(how!) === way).length);
    const told = rowsOf(security).flatMap(([name, ...rest]) => (/^(V\d+|all) /.test(name!) ? [[name!, ...rest]] : []));
    expect(told.map(([name, ...numbers]) => [/^\S+/.exec(name!)![0], ...numbers.map(Number)])).toEqual([
      ...Object.keys(REQUIREMENTS).map((chapter) => [
        `V${chapter}`,
        ...counts(rows.filter(([number]) => number!.startsWith(`${chapter}.`))),
      ]),
      ['all', ...counts(rows)],
    ]);
    expect(counts(rows).reduce((sum, count) => sum + count)).toBe(rows.length);

    const explained = rowsOf(security.split('## Deviations')[1]!).flatMap(
      ([item]) => item!.match(/\d+\.\d+\.\d+/g) ?? [],
    );
    const deviating = rows.filter(([, , , how]) => how!.startsWith('deviation: ')).map(([number]) => number);
    expect(explained.sort()).toEqual(deviating.sort());
  });
});
