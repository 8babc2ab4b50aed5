import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { createLog, logRequest } from '../src/log.ts';
import { agent, anonymous, eventually, provision, superAdmin } from './support/actors.ts';
import { JWT_SECRET, SUPER_ADMIN } from './support/app.ts';
import { dist, ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { cleanUp, type GatewayProcess, startGateway } from './support/gateway-process.ts';
import { register, startTenantServer } from './support/tenant-servers.ts';

beforeAll(ensureBuilt);
afterEach(cleanUp);

/** Logs some 32 MB, says so, and waits to be told to end. */
const PROGRAM = `
  const { createLog } = await import(process.argv[1]);
  const log = createLog('info');
  for (let n = 0; n < 32; n++) {
    for (let line = 0; line < 1000; line++) log.info({ filler: 'x'.repeat(950) }, 'a line');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log("logged");
  process.stdin.once('data', () => process.exit(0));
`;

test('lines that nobody reads are dropped rather than kept until the memory is full, and the log says how many', async () => {
  const module = pathToFileURL(join(dist, 'log.js')).href;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, module]);
  try {
    await once(child.stdout, 'data');
    let text = '';
    child.stderr.on('data', (data) => {
      text += data;
    });
    const counts = async () => {
      const told = [...text.matchAll(/"lines":(\d+),"msg":"log lines were dropped/g)];
      const dropped = told.reduce((sum, [, lines]) => sum + Number(lines), 0);
      return { written: text.match(/"msg":"a line"/g)?.length ?? 0, dropped };
    };
    const { dropped } = await eventually(counts, ({ written, dropped }) => written + dropped >= 32_000, 20_000);
    expect(dropped).toBeGreaterThan(10_000);
    child.stdin.write('end');
    await once(child, 'close');
    expect(await counts()).toEqual({ written: 32_000 - dropped, dropped });
  } finally {
    child.kill('SIGKILL');
  }
}, 30_000);

test('the line of a request is the one that pino writes, whatever is in it', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line.replace(/"time":"[^"]+"/, '"time":""')) });
  const line = { requestId: 'my-own/1', method: 'GET', path: '/api/tenants/:id', status: 200, ms: 12 };
  for (const more of [{}, { orgId: 'of acme' }, { requestId: 'a "quoted" \\ line\n' }, { path: 'ünïcode', ms: 0 }]) {
    logRequest(log, { ...line, ...more });
    log.info({ ...line, ...more }, 'request');
    const [own, pinos] = lines.splice(0);
    expect(JSON.parse(own!)).toEqual(JSON.parse(pinos!));
    expect(own).toMatch(/^\{"level":30,"time":"","requestId":.*\}\n$/);
  }
  log.level = 'warn';
  logRequest(log, line);
  expect(lines).toEqual([]);
});

test('the stack of an error that nobody expected names lines of the sources, though what runs is a bundle', async () => {
  const databaseUrl = await createControlDatabase();
  try {
    const gateway = await startGateway({ DATABASE_URL: databaseUrl, JWT_SECRET, WARM_DATABASES: '0' });
    const admin = await superAdmin(gateway);
    await sql(databaseUrl, 'alter table super_admins rename column name to another_name');
    expect(await admin.rest('GET', '/api/super-admin/admins')).toMatchObject({ status: 500 });
    const said = await eventually(
      async () => gateway.output(),
      (output) => output.includes('a request failed'),
    );
    const line = said.split('\n').find((text) => text.includes('a request failed'))!;
    expect(JSON.parse(line).err.stack.join('\n')).toMatch(/src\/\S+\.ts:\d+:\d+/);
  } finally {
    await cleanUp();
    await dropControlDatabase(databaseUrl);
  }
});

/** A gateway that tells all that it can, in a zone of its own. */
async function talkative(work: (gateway: GatewayProcess) => Promise<void>): Promise<void> {
  const databaseUrl = await createControlDatabase();
  try {
    await work(
      await startGateway({
        DATABASE_URL: databaseUrl,
        JWT_SECRET,
        WARM_DATABASES: '0',
        LOG_LEVEL: 'trace',
        TZ: 'Asia/Jakarta',
      }),
    );
  } finally {
    await cleanUp();
    await dropControlDatabase(databaseUrl);
  }
}

/** The lines so far, up to that of a last request. */
async function linesOf(gateway: GatewayProcess): Promise<string[]> {
  await anonymous(gateway).rest('GET', '/api/health', undefined, { 'x-request-id': 'the-last-one' });
  const said = await eventually(
    async () => gateway.output(),
    (output) => /the-last-one.*\n/.test(output),
  );
  // What comes after the last line break may be half of a line.
  return said
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'));
}

test('lines and entries say when in UTC, wherever the process is', async () => {
  await talkative(async (gateway) => {
    const before = Date.now() - 60_000;
    const now = (text: string) => {
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(text)).toBeGreaterThan(before);
      expect(Date.parse(text)).toBeLessThan(Date.now() + 1000);
    };
    const root = await superAdmin(gateway);
    const { adminEmail, adminPassword } = await provision(root);
    const admin = await agent(gateway, adminEmail, adminPassword);
    await admin.rest('POST', '/api/divisions', { name: 'Sales' });
    const { body: entries } = await admin.rest('GET', '/api/activity-logs');
    const { data } = await root.graphql('{ auditLog { nodes { createdAt } } }');
    const lines = await linesOf(gateway);
    expect([entries.length, data.auditLog.nodes.length, lines.length].every((count) => count > 2)).toBe(true);
    for (const entry of entries) now(entry.created_at);
    for (const { createdAt } of data.auditLog.nodes) now(createdAt);
    for (const line of lines) now(JSON.parse(line).time);
  });
});

test('no line holds a password, a token, a key or the address of a server', async () => {
  const server = await startTenantServer();
  try {
    await talkative(async (gateway) => {
      const wrong = 'wrong, and not to be seen';
      const secrets = [JWT_SECRET, SUPER_ADMIN.password, wrong, server.password, server.url];
      const root = await superAdmin(gateway);
      const { adminEmail, adminPassword } = await provision(root);
      const admin = await agent(gateway, adminEmail, adminPassword);
      const guest = anonymous(gateway);
      for (const path of ['/api/auth/login', '/api/super-admin/login'])
        expect((await guest.rest('POST', path, { email: adminEmail, password: wrong })).status).toBe(401);
      const { data } = await guest.graphql(
        `mutation { login(email: "${adminEmail}", password: "${adminPassword}") { token } }`,
      );
      const { body: key } = await admin.rest('POST', '/api/api-keys', { name: 'Key', scopes: ['logs.view'] });
      const byKey = await guest.rest('GET', '/api/activity-logs', undefined, { 'x-api-key': key.key });
      expect(byKey.status).toBe(200);
      await register(root, 'another', server);
      const unfit = { name: 'unfit', url: `postgres://somebody:${wrong.replaceAll(' ', '-')}@127.0.0.1:1/postgres` };
      expect((await root.rest('POST', '/api/super-admin/database-servers', unfit)).status).toBeGreaterThan(399);
      secrets.push(adminPassword, key.key, root.token!, admin.token!, data.login.token, unfit.url);

      const lines = await linesOf(gateway);
      for (const path of ['/api/auth/login', '/api/api-keys', '/api/super-admin/database-servers'])
        expect(lines.filter((line) => line.includes(`"path":"${path}"`)).length).toBeGreaterThan(0);
      expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
      expect(gateway.output()).not.toMatch(/\$argon2|SCRAM-SHA-256\$|postgres(?:ql)?:\/\/\w+:\S+@/);
      expect(secrets.filter((secret) => gateway.output().includes(secret))).toEqual([]);
    });
  } finally {
    await server.remove();
  }
});
