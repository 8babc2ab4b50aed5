/** Where a secret stands in plain: a table of the control database, a gateway's log, or an answer that refuses something. */
import type pg from 'pg';
import { SUPER_ADMIN } from '../tests/support/super-admin.ts';
import { ADMIN_PASSWORD, type Installation, SECRET } from './installation.ts';

/** What is known by how it looks. Both JavaScript and PostgreSQL read these. */
const SHAPES: readonly (readonly [string, string])[] = [
  ['the hash of a password', '[$]argon2[a-z]+[$]'],
  ['a token', 'eyJ[A-Za-z0-9_-]{8,}[.]eyJ[A-Za-z0-9_-]{8,}[.]'],
];
/** Where hashes of passwords are kept; nothing else is to have one. */
const HASHED = ['public.identities', 'public.super_admins'];
const HASH = 'password_hash';

/** @param passwords of tenants' roles, each with what it is. @returns a sentence for each place. */
export async function leaks(
  client: pg.Client,
  { databaseUrl, logs, refusals }: Installation,
  passwords: readonly (readonly [string, string])[],
): Promise<string[]> {
  const texts: readonly (readonly [string, string])[] = [
    ['the signing secret', SECRET],
    ["a tenant admin's password", ADMIN_PASSWORD],
    ["the super admin's password", SUPER_ADMIN.password],
    ["the password of the server's superuser", decodeURIComponent(new URL(databaseUrl).password)],
    ...passwords,
  ];
  if (texts.some(([, secret]) => secret === '')) throw new Error('an empty secret is found everywhere');
  const secretsIn = (text: string) => [
    ...texts.filter(([, secret]) => text.includes(secret)).map(([what]) => what),
    ...SHAPES.filter(([, shape]) => new RegExp(shape).test(text)).map(([what]) => what),
  ];
  const { rows: tables } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss')`,
  );
  const found = [
    ...secretsIn(logs).map((what) => `${what} stands in a log`),
    ...secretsIn(refusals.join('\n')).map((what) => `${what} stands in an answer that refuses something`),
  ];
  for (const { name } of tables) {
    const { rows } = await client.query<{ line: string }>(
      `select line from ${name} t, lateral (select (to_jsonb(t) - $3)::text as line) as told
        where exists (select from unnest($1::text[]) s where position(s in line) > 0) or line ~ any ($2) limit 1`,
      [texts.map(([, text]) => text), SHAPES.map(([, shape]) => shape), HASHED.includes(name) ? HASH : ''],
    );
    for (const { line } of rows) found.push(...secretsIn(line).map((what) => `${what} stands in ${name}`));
  }
  return found;
}
