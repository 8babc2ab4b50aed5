import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { createLog, logRequest } from '../src/log.ts';
import { eventually, superAdmin } from './support/actors.ts';
import { JWT_SECRET } from './support/app.ts';
import { dist, ensureBuilt } from './support/built.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';
import { cleanUp, startGateway } from './support/gateway-process.ts';

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
