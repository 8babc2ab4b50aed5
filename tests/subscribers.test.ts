import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { COUNTED } from '../bench/gauges.ts';
import { prove } from '../bench/proof.ts';
import { makeMutant } from '../chaos/mutants.ts';
import { dist, ensureBuilt } from './support/built.ts';
import { cleanUp, startGateway, temporaryFolder } from './support/gateway-process.ts';

beforeAll(ensureBuilt);
afterAll(cleanUp);

/** Run as it is compiled: what counts is loaded into it and gets at its modules. */
const start = async (build = dist) =>
  startGateway({ DATA_DIR: join(await temporaryFolder(), 'data') }, { preload: COUNTED, build });

test('readers are told every event once and in order, whoever does not read is cut off, and nobody stays behind', async () => {
  const gateway = await start();
  // As `npm run prove:subscribers` does by the thousand.
  const size = { sockets: 60, silent: 5, streams: 3, events: 200 };
  const report = await prove(gateway, size, { restMs: 500, furtherCrowds: 0 });
  expect(report.broken).toEqual([]);
  // Found by the keepalive: nothing that was told them was too much for the kernel's buffers.
  expect(report.silentGoneMs).toBeGreaterThan(5000);
});

test('where subscriptions are kept whose sockets have ended, that is found', async () => {
  const { build, remove } = makeMutant({
    name: 'a feed that has ended hears nothing more',
    file: 'live/feed.js',
    from: /this\.#stopListening\(\);/,
    to: '',
  });
  try {
    const report = await prove(
      await start(build),
      { sockets: 20, silent: 0, streams: 0, events: 5 },
      { restMs: 100, furtherCrowds: 0 },
    );
    expect(report.broken).toContain('20 subscriptions are still followed');
  } finally {
    await cleanUp();
    remove();
  }
});
