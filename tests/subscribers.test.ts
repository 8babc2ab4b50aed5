import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { prove } from '../bench/proof.ts';
import { ensureBuilt } from './support/built.ts';
import { cleanUp, startGateway, temporaryFolder } from './support/gateway-process.ts';

beforeAll(ensureBuilt);
afterAll(cleanUp);

test('readers are told every event once and in order, whoever does not read is cut off, and nobody stays behind', async () => {
  const gateway = await startGateway({ DATA_DIR: join(await temporaryFolder(), 'data') });
  // As `npm run prove:subscribers` does by the thousand.
  const report = await prove(gateway, { sockets: 60, silent: 5, events: 100 }, { restMs: 500, collectionMs: 0 });
  expect(report.broken).toEqual([]);
  // Found by the keepalive: nothing that was told them was too much for the kernel's buffers.
  expect(report.silentGoneMs).toBeGreaterThan(5000);
});
