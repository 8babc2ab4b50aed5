import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Client } from 'minio';
import { extract } from 'tar-stream';
import { sweepExports } from '../src/domain/export/expire.ts';
import { KINDS, NOT_EXPORTED } from '../src/domain/export/records.ts';
import { type Actor, agent, eventually, provision, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { belongingsOf } from './support/belongings.ts';
import { sql } from './support/database.ts';
import { expectError } from './support/errors.ts';
import { bytesOf, databaseOf, exported, fetched, type Line, linesIn, ofPlatform } from './support/exports.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { type S3Server, startS3 } from './support/s3-server.ts';

let app: TestApp;
let dataDir: string;
let root: Actor;
let acme: Tenant;
let ayu: Actor;

beforeAll(async () => {
  dataDir = await temporaryFolder();
  app = await startApp({ DATA_DIR: dataDir });
  root = await superAdmin(app);
  acme = await provision(root);
  ayu = await agent(app, acme.adminEmail, acme.adminPassword);
  await belongingsOf(app, root, ayu, acme);
});
afterAll(async () => {
  await cleanUp();
  await app?.stop();
});

describe('an export', () => {
  test('holds every record once, each as its description says, and no secret', async () => {
    const contact = '0199c0de-7b7a-7000-8000-000000000001';
    const body = 'Two lines,\n"quotes", a \\ backslash and 🐈';
    await sql(databaseOf(app, acme), 'insert into contacts (id, name) values ($1, $2)', [contact, 'Citra']);
    await sql(
      databaseOf(app, acme),
      `insert into messages (id, contact_id, channel, body) values ($1, $1, 'email', $2)`,
      [contact, body],
    );
    const address = await exported(root, ofPlatform(acme));
    const lines = linesIn(await bytesOf(await fetched(app, root, address)));

    const ajv = addFormats.default(new Ajv.default({ strict: false }));
    const fits = ajv.compile(JSON.parse(readFileSync(new URL('../docs/export.schema.json', import.meta.url), 'utf8')));
    expect(lines.filter((line) => !fits(line))).toEqual([]);
    // Nothing is in it that the description does not name.
    const described = new Map(KINDS.map(({ type, fields }) => [type, ['type', ...Object.keys(fields)]]));
    const [head, ...records] = lines.slice(0, -1) as [Line, ...Line[]];
    for (const line of records) expect(Object.keys(line)).toEqual(described.get(line.type));

    const counts: Record<string, number> = Object.fromEntries(KINDS.map(({ type }) => [type, 0]));
    for (const { type } of records) counts[type]! += 1;
    expect(head).toMatchObject({
      type: 'export',
      format: 1,
      tenant: { id: acme.id, slug: acme.slug },
      records: counts,
    });
    expect(lines.at(-1)).toEqual({ type: 'end', records: records.length });
    const order = [...new Set(records.map(({ type }) => type))];
    expect(order).toEqual(KINDS.map(({ type }) => type).filter((type) => order.includes(type)));
    expect(records.filter(({ type }) => type === 'message')).toMatchObject([{ id: contact, body }]);
    expect(counts).toMatchObject({ organization: 1, account: 2, agent: 2, api_key: 1, division: 1, working_hours: 8 });

    const secrets = await sql<{ secret: string }>(
      app.databaseUrl,
      `select password_hash as secret from identities union all select hash from api_keys
       union all select sealed_password from tenant_databases union all select password_hash from super_admins`,
    );
    const text = JSON.stringify(lines);
    expect(secrets.length).toBeGreaterThan(3);
    for (const { secret } of secrets) expect(text).not.toContain(secret);
    // Where staff of the platform sit.
    expect(records.filter((line) => line.actor_kind === 'super_admin' && line.address)).toEqual([]);
  });

  test('leaves out no table that nobody has decided on', async () => {
    const tables = (url: string, condition: string) =>
      sql<{ name: string }>(
        url,
        `select relname::text as name from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace and ${condition} order by 1`,
      );
    const decided = (side: 'control' | 'tenant') =>
      [
        ...KINDS.filter((kind) => kind.side === side).map(({ from }) => from.split(' ')[0]),
        ...Object.keys(NOT_EXPORTED[side]),
      ].sort();
    const ofTenant = await tables(databaseOf(app, acme), 'true');
    const ofPlatformSide = await tables(
      app.databaseUrl,
      `(relname = 'organizations' or exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id'))`,
    );
    expect(ofTenant.map(({ name }) => name)).toEqual(decided('tenant'));
    expect(ofPlatformSide.map(({ name }) => name)).toEqual(decided('control'));
  });

  test('speaks of one instant while others write', async () => {
    const url = databaseOf(app, acme);
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n += 1) {
        // Always together.
        await sql(
          url,
          `with one as (insert into contacts (id, name) values (gen_random_uuid(), 'pair ${n}'))
           insert into messages (id, contact_id, channel, body) values (gen_random_uuid(), gen_random_uuid(), 'email', 'pair ${n}')`,
        );
      }
    })();
    const written = () => sql(url, `select from contacts where name = 'pair 0'`);
    await eventually(written, (rows) => rows.length > 0);
    const address = await exported(root, ofPlatform(acme));
    writing = false;
    await writer;
    const lines = linesIn(await bytesOf(await fetched(app, root, address)));
    const pairs = (type: string, field: string) =>
      lines
        .flatMap((line) => (line.type === type && String(line[field]).startsWith('pair ') ? [line[field]] : []))
        .sort();
    expect(pairs('message', 'body').length).toBeGreaterThan(0);
    expect(pairs('message', 'body')).toEqual(pairs('contact', 'name'));
  });

  test('is asked for by an admin of the tenant as well, who sees no others', async () => {
    const address = await exported(ayu, '/api/exports');
    const [own] = linesIn(await bytesOf(await fetched(app, ayu, address)));
    expect(own!.tenant).toEqual({ id: acme.id, slug: acme.slug });
    const { body: seen } = await ayu.rest('GET', '/api/exports');
    expect(seen).toHaveLength(2);
    const { body: all } = await root.rest('GET', ofPlatform(acme));
    expect(all.length).toBeGreaterThan(1);
    const platforms = all.find(
      ({ requested_by }: { requested_by: string }) => requested_by !== seen[0].requested_by,
    ).id;
    expectError(await ayu.rest('GET', `/api/exports/${platforms}`), 404, 'not_found');
    expect((await fetched(app, ayu, `/api/exports/${platforms}`)).status).toBe(404);
    const { body } = await root.rest('GET', `/api/super-admin/tenants/${acme.id}`);
    expect(body.id).toBe(acme.id);
    const entries = await sql<{ action: string; kind: string }>(
      app.databaseUrl,
      `select action, actor_kind as kind from audit_entries where target_id = $1 order by id`,
      [seen[0].id],
    );
    expect(entries).toEqual([
      { action: 'tenant.export', kind: 'agent' },
      { action: 'tenant.export_download', kind: 'agent' },
    ]);
  });

  test('is made once at a time, and of a tenant without a database not at all', async () => {
    const path = ofPlatform(acme);
    const answers = await Promise.all([root.rest('POST', path), root.rest('POST', path), root.rest('POST', path)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const begun = answers.find(({ status }) => status === 201)!.body;
    await eventually(
      () => root.rest('GET', `${path}/${begun.id}`),
      ({ body }) => body.state === 'ready',
    );
    expectError(await root.rest('POST', ofPlatform({ ...acme, id: begun.id })), 404, 'not_found');
  });
});

describe('a download', () => {
  let address: string;
  let whole: Buffer;
  let etag: string;
  beforeAll(async () => {
    address = await exported(root, ofPlatform(acme));
    const response = await fetched(app, root, address);
    whole = await bytesOf(response);
    etag = response.headers.get('etag')!;
    expect(response.headers.get('content-disposition')).toMatch(
      new RegExp(`filename="${acme.slug}-\\d{8}T\\d{6}Z\\.ndjson\\.gz"`),
    );
    expect(response.headers.get('accept-ranges')).toBe('bytes');
  });

  test('that was cut off goes on where it was, and another file is sent whole', async () => {
    const half = Math.floor(whole.length / 2);
    const from = { range: `bytes=${half}-` };
    const rest = await fetched(app, root, address, { ...from, 'if-range': etag });
    expect(rest.status).toBe(206);
    expect(rest.headers.get('content-range')).toBe(`bytes ${half}-${whole.length - 1}/${whole.length}`);
    expect(Buffer.concat([whole.subarray(0, half), await bytesOf(rest)]).equals(whole)).toBe(true);
    const other = await fetched(app, root, address, { ...from, 'if-range': '"of another file"' });
    expect([other.status, (await bytesOf(other)).equals(whole)]).toEqual([200, true]);
  });

  test('is noted with who asked for it, also where its first byte is left out', async () => {
    const fetches = () =>
      sql<{ after: object }>(
        app.databaseUrl,
        `select after from audit_entries where action = 'tenant.export_download' and target_id = $1 order by id`,
        [address.split('/').at(-1)],
      );
    const before = (await fetches()).length;
    await bytesOf(await fetched(app, root, address, { range: 'bytes=1-' }));
    await bytesOf(await fetched(app, root, address, { range: `bytes=-${whole.length - 1}` }));
    await fetched(app, root, address, {}, 'HEAD');
    const part = { part: 'data', firstByte: 1, lastByte: whole.length - 1 };
    expect((await fetches()).slice(before).map(({ after }) => after)).toEqual([part, part]);
  });

  test('past its end is 416 with the size; what is no range is not looked at', async () => {
    const past = await fetched(app, root, address, { range: `bytes=${whole.length}-` });
    expect([past.status, past.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`]);
    expect(await past.json()).toMatchObject({ code: 'range_not_satisfiable' });
    for (const range of ['lines=1-2', 'bytes=x', 'bytes=0-1,4-5']) {
      const answer = await fetched(app, root, address, { range });
      expect([answer.status, (await bytesOf(answer)).length]).toEqual([200, whole.length]);
    }
  });

  test('can be asked about by HEAD, and has no part that the export lacks', async () => {
    const head = await fetched(app, root, address, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
      200,
      `${whole.length}`,
      etag,
    ]);
    expectError(await root.rest('GET', `${address}/download?part=files`), 404, 'not_found');
    expectError(await root.rest('GET', `${address}/download?part=other`), 400, 'validation_failed');
  });

  test('ends when the export does: only the newest are kept', async () => {
    for (let n = 0; n < 4; n += 1) await exported(root, ofPlatform(acme));
    await sweepExports(app.services, new AbortController().signal);
    const { body } = await root.rest('GET', ofPlatform(acme));
    // The tenant's own are counted by themselves.
    expect(body.length).toBe(3 + 2);
    expectError(await root.rest('GET', `${address}/download`), 404, 'not_found');
  });
});

test('what is in the bucket comes as a tar file whose names lead nowhere else', async () => {
  const s3: S3Server = await startS3();
  const withS3 = await startApp({ MINIO_URL: s3.url, DATA_DIR: dataDir });
  try {
    const admin = await superAdmin(withS3);
    const tenant = await provision(admin);
    const client = new Client({
      endPoint: '127.0.0.1',
      port: s3.port,
      useSSL: false,
      accessKey: 'S3RVER',
      secretKey: 'S3RVER',
    });
    const bucket = `t-${tenant.id.replaceAll('-', '')}`;
    const large = Buffer.alloc(3_000_000, 'x');
    await client.putObject(bucket, 'photos/2026/cat.jpg', large);
    await client.putObject(bucket, 'a..b/note.txt', 'short');
    const address = await exported(admin, ofPlatform(tenant));
    const { body } = await admin.rest('GET', address);
    expect(body.files.entries).toBe(2);
    const files = new Map<string, number>();
    const unpacking = extract().on('entry', (header, stream, next) => {
      files.set(header.name, header.size!);
      stream.on('end', next).resume();
    });
    const response = await fetch(`${withS3.url}${address}/download?part=files`, {
      headers: { authorization: `Bearer ${admin.token}` },
    });
    await pipeline(Readable.from([await bytesOf(response)]), unpacking);
    expect(Object.fromEntries(files)).toEqual({ 'files/a..b/note.txt': 5, 'files/photos/2026/cat.jpg': large.length });
    // The export itself is kept in the platform's own bucket, and goes on from there as well.
    const data = await bytesOf(await fetched(withS3, admin, address));
    const part = await fetched(withS3, admin, address, { range: 'bytes=10-19' });
    expect((await bytesOf(part)).equals(data.subarray(10, 20))).toBe(true);
    expect(
      await readdir(join(dataDir, 'exports')).then((names) => names.filter((name) => name.endsWith('.draft'))),
    ).toEqual([]);
  } finally {
    await withS3.stop();
    await s3.stop();
  }
});
