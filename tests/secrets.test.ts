import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keys } from '../src/db/keys.ts';
import { provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await provision(await superAdmin(app));
});
afterAll(() => app?.stop());

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

describe('docs/security.md', () => {
  test('names tests that are there', async () => {
    const page = await readFile('docs/security.md', 'utf8');
    const named = [...page.matchAll(/(tests\/[\w-]+\.test\.ts)(?:: "([^"]+)")?/g)];
    expect(named.length).toBeGreaterThan(50);
    for (const [, file, title] of named) {
      const text = await readFile(file!, 'utf8');
      const quoted = title?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      // As the title of a test, not anywhere in the file.
      const there = new RegExp(`\\btest(\\.each(<[^(]*>)?\\([^]*?\\))?\\(\\s*['"\`]${quoted}['"\`]`).test(text);
      expect([file, title, there]).toEqual([file, title, true]);
    }
  });
});
