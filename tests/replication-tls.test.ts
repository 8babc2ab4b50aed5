import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { describeFailure } from '../src/components/describe-failure.ts';
import { Keys } from '../src/db/keys.ts';
import { connectionOf, subscribe } from '../src/db/replication.ts';
import type { TenantCluster } from '../src/db/tenant-cluster.ts';
import { follow } from '../src/domain/move/copy-steps.ts';
import type { StepContext } from '../src/domain/move/step.ts';
import { eventually } from './support/actors.ts';
import { anotherServer } from './support/another-server.ts';
import { serverUrl, sql } from './support/database.ts';

const ADDRESS = 'postgresql://omnistream:secret@db-1.example:5433/postgres';
const from = (url: string) => ({ url, database: 't_a', password: `it's \\ hard` });

describe('what one server is told of another that it is to follow', () => {
  test('is its address, as a role and with a password that are for this alone', () => {
    expect(connectionOf(from(ADDRESS))).toBe(
      `host='db-1.example' port='5433' dbname='t_a' user='t_a_move' password='it\\'s \\\\ hard' connect_timeout='10'`,
    );
  });

  const verified = `sslmode='verify-full' sslrootcert='system'`;
  test.each([
    ['', ''],
    ['?sslmode=disable', `sslmode='disable'`],
    ['?sslmode=no-verify', `sslmode='require'`],
    ['?sslmode=prefer', verified],
    ['?sslmode=require', verified],
    ['?sslmode=verify-ca', verified],
    ['?sslmode=verify-full', verified],
    ['?ssl=true', verified],
    ['?uselibpqcompat=true&sslmode=require', `sslmode='require'`],
  ])('is to be as sure of it as the gateway is, which asks at %j', (query, told) => {
    expect(/sslmode=.*/.exec(connectionOf(from(ADDRESS + query)))?.[0] ?? '').toBe(told);
  });
});

describe('a server under TLS', () => {
  let folder: string;
  let leader: Awaited<ReturnType<typeof anotherServer>>;
  let follower: pg.Client;
  const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => () => join(folder, name)) as [
    () => string,
    () => string,
  ];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'omnistream-tls-'));
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=leader'];
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key(), '-out', certificate()];
    await promisify(execFile)('openssl', [...made, ...names]);
    await chmod(folder, 0o755);
    leader = await anotherServer();
    const [data] = await sql<{ path: string }>(leader.url, `select current_setting('data_directory') as path`);
    const { uid, gid } = await stat(data!.path);
    for (const [name, file] of [
      ['server.crt', certificate()],
      ['server.key', key()],
    ] as const) {
      await copyFile(file, join(data!.path, name));
      await chmod(join(data!.path, name), 0o600);
      await chown(join(data!.path, name), uid, gid);
    }
    for (const change of ['alter system set ssl = on', 'select pg_reload_conf()']) await sql(leader.url, change);
    await eventually(
      () => sql<{ ssl: string }>(leader.url, 'show ssl'),
      ([row]) => row?.ssl === 'on',
    );
    follower = new pg.Client(serverUrl('postgres'));
    await follower.connect();
  });
  afterAll(async () => {
    await follower?.end();
    await leader?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const refusal = (query: string) =>
    subscribe(follower, from(serverUrl('postgres', leader.url) + query), false).then(
      () => 'none',
      ({ message }: Error) => message,
    );

  test('is not followed where nobody vouches for it, unless the gateway is told not to mind', async () => {
    for (const mode of ['require', 'verify-full'])
      expect(await refusal(`?sslmode=${mode}`)).toMatch(/certificate verify failed/);
    // It has come as far as that: there is no such role.
    expect(await refusal('?sslmode=no-verify')).toMatch(/authentication failed/);
    expect(await refusal(`?sslmode=require&sslrootcert=${certificate()}`)).toMatch(/authentication failed/);
  });

  test('is not spoken to by the gateway either', async () => {
    const reached = async (query: string) => {
      const client = new pg.Client(serverUrl('postgres', leader.url) + query);
      const failed = await client.connect().then(() => undefined, describeFailure);
      await client.end();
      return failed;
    };
    for (const mode of ['prefer', 'require', 'verify-full'])
      expect([mode, await reached(`?sslmode=${mode}`)]).toEqual([mode, 'TLS certificate not trusted']);
    for (const query of ['?sslmode=no-verify', `?sslmode=require&sslrootcert=${certificate()}`])
      expect(await reached(query)).toBeUndefined();
  });

  test('that is not trusted fails a move with a sentence on that', async () => {
    const context = { name: 't_a', orgId: 'a', askedAt: new Date(), services: { keys: new Keys('s'.repeat(32)) } };
    const url = `${serverUrl('postgres', leader.url)}?sslmode=verify-full`;
    const [from, to] = [{ name: 'eu-1', url }, { name: 'eu-2' }] as TenantCluster[];
    await expect(follow(follower, context as unknown as StepContext, from!, to!, false)).rejects.toThrow(
      `Server eu-2 does not trust the certificate of server eu-1 at ${new URL(url).host}`,
    );
  });
});
