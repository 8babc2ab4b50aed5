import { afterEach, expect, test } from '@jest/globals';
import { type ControlDatabase, openControl } from '../src/db/control.ts';
import { createLog } from '../src/log.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';

let url: string;
let control: ControlDatabase;
afterEach(async () => {
  await control.close();
  await dropControlDatabase(url);
});

const PLACES = 2;

test('transactions that the server cuts off give their places in the pool back', async () => {
  url = await createControlDatabase();
  control = await openControl(url, createLog('silent'), PLACES);
  const own = 'select pg_backend_pid() as pid';
  for (let round = 0; round < 2 * PLACES; round++) {
    const cutOff = control.orm.em.fork().transactional(async (em) => {
      const [row] = (await em.execute(own)) as { pid: number }[];
      await sql(url, 'select pg_terminate_backend($1)', [row!.pid]);
      await em.execute(own);
    });
    await expect(cutOff).rejects.toThrow();
  }
  await control.orm.em.fork().transactional((em) => em.execute(own));
  expect(control.pool.totalCount).toBe(control.pool.idleCount);
});
