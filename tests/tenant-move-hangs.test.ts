import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { type Actor, agent, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { expectNothingWrong } from './support/checker.ts';
import { createControlDatabase, dropControlDatabase } from './support/database.ts';
import { freezer } from './support/frozen-server.ts';
import { moved, moveOf, type OtherServer, registeredServer } from './support/moves.ts';

let databaseUrl: string;
let app: TestApp;
let admin: Actor;
let other: OtherServer;
let hang: Awaited<ReturnType<typeof freezer>>;

beforeAll(async () => {
  databaseUrl = await createControlDatabase();
  app = await startApp({}, databaseUrl);
  admin = await superAdmin(app);
  other = await registeredServer(app, 'other');
  hang = await freezer(other.url);
});
afterAll(async () => {
  hang?.thaw();
  await app?.close();
  await other?.remove();
  await dropControlDatabase(databaseUrl);
});

interface Move {
  state: string;
  steps: { name: string; state: string; error?: string }[];
}
const move = async (tenant: { id: string }): Promise<Move> => (await admin.rest('GET', moveOf(tenant))).body.move;
const stepOf = ({ steps }: Move, name: string) => steps.find((step) => step.name === name);
let number = 0;
const write = async (user: Actor) =>
  (await user.rest('POST', '/api/divisions', { name: `Division ${++number}` })).status;

test('a new server that hangs while the tenant cannot be written: writes go on where they were, when the announced seconds are over', async () => {
  const tenant = await provision(admin);
  const user = await agent(app, tenant.adminEmail, tenant.adminPassword);
  await admin.rest('POST', moveOf(tenant), { server_id: other.id, max_read_only_seconds: 3 });
  await eventually(
    () => move(tenant),
    ({ state }) => state === 'switching',
  );
  hang.freeze();
  const began = performance.now();
  try {
    await eventually(
      () => write(user),
      (status) => status === 201,
      15_000,
    );
    expect(performance.now() - began).toBeLessThan(10_000);
    const { steps } = await move(tenant);
    const inWindow = steps.filter(({ name, error }) => error && ['read_only', 'verify'].includes(name));
    expect(inWindow.map(({ error }) => error)).toEqual([
      'The switch would have taken longer than the 3 s for which the tenant may not be written.',
    ]);
  } finally {
    hang.thaw();
  }
  await moved(admin, tenant, 'switched');
  expect(await write(user)).toBe(201);
  await admin.rest('POST', `${moveOf(tenant)}/finish`);
  await moved(admin, tenant, 'finished');
  await expectNothingWrong(databaseUrl);
});

test('a former server that hangs right after the switch: the tenant is used where it is, and the former one is dealt with when it is back', async () => {
  const tenant = await provision(admin);
  const user = await agent(app, tenant.adminEmail, tenant.adminPassword);
  const go = async (end: string) => {
    await admin.rest('POST', `${moveOf(tenant)}/${end}`);
    await moved(admin, tenant, 'finished');
  };
  await admin.rest('POST', moveOf(tenant), { server_id: other.id });
  await moved(admin, tenant, 'switched');
  await go('finish');

  await admin.rest('POST', moveOf(tenant), { server_id: HOME_SERVER_ID });
  await eventually(
    () => move(tenant),
    (now) => stepOf(now, 'switch')?.state === 'done',
  );
  hang.freeze();
  try {
    await eventually(
      () => write(user),
      (status) => status === 201,
      20_000,
    );
    expect(await move(tenant)).toMatchObject({ state: 'switched' });
  } finally {
    hang.thaw();
  }
  await eventually(
    () => move(tenant),
    (now) => stepOf(now, 'follow_back')?.state === 'done',
    60_000,
  );
  await go('finish');
  await expectNothingWrong(databaseUrl);
});
