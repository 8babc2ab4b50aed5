import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { runningServer } from '../src/db/embedded-cluster.ts';
import { storedSecrets } from '../src/db/secrets.ts';
import { type Actor, agent, eventually, superAdmin } from './support/actors.ts';
import { ensureBuilt } from './support/built.ts';
import { cleanUp, runDoctor, runGateway, startGateway, temporaryFolder } from './support/gateway-process.ts';

beforeAll(ensureBuilt);
afterEach(cleanUp);

let T0 = performance.now();
const lap = (x: string) => {
  process.stdout.write(`  LAP ${x} ${Math.round(performance.now() - T0)}\n`);
  T0 = performance.now();
};
const PASSWORD = 'a tenant admin password';

/** Asks for tenants one after the other as fast as the gateway answers. @returns what it has said yes to, as it goes. */
function provisionMany(admin: Actor, count: number) {
  const accepted: { id: string; slug: string }[] = [];
  const done = (async () => {
    for (let number = 1; number <= count; number++) {
      const slug = `tenant-${number}`;
      const { status, body } = await admin.rest('POST', '/api/super-admin/tenants', {
        name: `Tenant ${number}`,
        slug,
        admin_email: `admin@${slug}.test`,
        admin_password: PASSWORD,
      });
      expect(status).toBe(201);
      accepted.push({ id: body.id, slug });
    }
  })();
  return { accepted, done };
}

const statuses = async (admin: Actor): Promise<string[]> =>
  (await admin.rest('GET', '/api/super-admin/tenants')).body.map(({ status }: { status: string }) => status);

const allActive = (admin: Actor) =>
  eventually(
    () => statuses(admin),
    (all) => all.every((status) => status === 'active'),
    15_000,
  );

async function postgresGone(dataDir: string): Promise<void> {
  await eventually(
    () => runningServer(dataDir),
    (server) => server === undefined,
  );
}

const took = (what: string, ms: number) => process.stdout.write(`    ${what}: ${Math.round(ms)} ms\n`);

describe('the embedded installation', () => {
  test('kill -9 at a random moment loses no tenant: the next start finishes them all', async () => {
    const env = { DATA_DIR: await temporaryFolder() };
    lap('const env = { DATA_DIR: await temporaryFolder() };');
    const first = await startGateway(env);
    lap('const first = await startGateway(env);');
    const { accepted, done } = provisionMany(await superAdmin(first), 20);
    lap('const { accepted, done } = provisionMany(await sup');
    const moment = 200 + Math.random() * 1500;
    const kill = new Promise((resolve) => setTimeout(resolve, moment)).then(() => first.end('SIGKILL'));
    await done.catch(() => {});
    lap('await done.catch(() => {});');
    await kill;
    lap('await kill;');
    process.stdout.write(`    killed after ${Math.round(moment)} ms, ${accepted.length} of 20 accepted\n`);
    const second = await startGateway(env);
    lap('const second = await startGateway(env);');
    const admin = await superAdmin(second);
    lap('const admin = await superAdmin(second);');
    // One more may have been committed whose answer never came.
    const all = await allActive(admin);
    lap('const all = await allActive(admin);');
    expect(all.length).toBeGreaterThanOrEqual(accepted.length);
    expect(all.length).toBeLessThanOrEqual(accepted.length + 1);
    for (const { slug } of accepted.slice(0, 3)) await agent(second, `admin@${slug}.test`, PASSWORD);
    const { code, output } = await runDoctor(env);
    lap('const { code, output } = await runDoctor(env);');
    expect(output).toMatch(/^nothing wrong: /);
    expect(code).toBe(0);
  });

  test('SIGTERM while tenants are being made ends with 0 within 10 s, and the next start finishes', async () => {
    const env = { DATA_DIR: await temporaryFolder() };
    lap('const env = { DATA_DIR: await temporaryFolder() };');
    const first = await startGateway(env);
    lap('const first = await startGateway(env);');
    const admin = await superAdmin(first);
    lap('const admin = await superAdmin(first);');
    await provisionMany(admin, 12).done;
    lap('await provisionMany(admin, 12).done;');
    const start = performance.now();
    const { code, signal } = await first.end('SIGTERM');
    lap("const { code, signal } = await first.end('SIGTERM'");
    took('drained in', performance.now() - start);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await runningServer(env.DATA_DIR)).toBeUndefined();
    lap('expect(await runningServer(env.DATA_DIR)).toBeUnde');
    // Without a gateway the doctor starts the server itself, and says what is unfinished.
    const unfinished = await runDoctor(env);
    lap('const unfinished = await runDoctor(env);');
    expect(unfinished).toMatchObject({
      code: 1,
      output: expect.stringContaining('no gateway is running -> start one'),
    });
    const second = await startGateway(env);
    lap('const second = await startGateway(env);');
    expect(await allActive(await superAdmin(second))).toHaveLength(12);
    lap('expect(await allActive(await superAdmin(second))).');
    expect(await runDoctor(env)).toMatchObject({ code: 0 });
    lap('expect(await runDoctor(env)).toMatchObject({ code:');
  });
});
