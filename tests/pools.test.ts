import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { openControl } from '../src/db/control.ts';
import { guardPool } from '../src/db/pools.ts';
import { createLog } from '../src/log.ts';
import { createControlDatabase, dropControlDatabase, sql } from './support/database.ts';

let url: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  url = await createControlDatabase();
  closing.push(() => dropControlDatabase(url));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const PLACES = 2;
const OWN = 'select pg_backend_pid() as pid';
const cutOff = (pid: number) => sql(url, 'select pg_terminate_backend($1)', [pid]);

test('transactions that the server cuts off give their places in the pool back', async () => {
  const control = await openControl(url, createLog('silent'), PLACES);
  closing.push(() => control.close());
  for (let round = 0; round < 2 * PLACES; round++) {
    const transaction = control.orm.em.fork().transactional(async (em) => {
      const [row] = (await em.execute(OWN)) as { pid: number }[];
      await cutOff(row!.pid);
      await em.execute(OWN);
    });
    await expect(transaction).rejects.toThrow();
  }
  await control.orm.em.fork().transactional((em) => em.execute(OWN));
  expect(control.pool.totalCount).toBe(control.pool.idleCount);
});

test('a connection that is cut off while somebody holds it, and asks nothing, does not end the process', async () => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  guardPool(pool, { name: 'control' });
  closing.push(() => pool.end());
  const held = await pool.connect();
  const { rows } = await held.query<{ pid: number }>(OWN);
  const ended = new Promise((end) => held.once('end', end as () => void));
  await cutOff(rows[0]!.pid);
  await ended;
  await expect(held.query(OWN)).rejects.toThrow();
  held.release();
  await pool.query(OWN);
});
