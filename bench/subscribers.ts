/**
 * `npm run prove:subscribers -- --sockets 2000 --silent 50 --streams 10 --events 500`: so many sockets follow `tenantChanged`,
 * some of which never read, and so many event streams, none of which does, while tenants are changed so many times. Ends with 1 when a promise does not hold (bench/proof.ts).
 */
import { join } from 'node:path';
import { dist, ensureBuilt } from '../tests/support/built.ts';
import { commandArguments } from '../tests/support/command-arguments.ts';
import { cleanUp, startGateway, temporaryFolder } from '../tests/support/gateway-process.ts';
import { COUNTED, openFilesLimit } from './gauges.ts';
import { prove } from './proof.ts';
import { table } from './table.ts';

const USAGE = 'Usage: npm run prove:subscribers -- [--sockets 2000] [--silent 50] [--streams 10] [--events 500]';
/** Files that a gateway has open besides sockets of subscribers, and to spare. */
const OTHER_FILES = 300;
const CARE = { restMs: 10_000, furtherCrowds: 3 };

async function main(): Promise<number> {
  const { values } = commandArguments(USAGE, {
    options: {
      sockets: { type: 'string', default: '2000' },
      silent: { type: 'string', default: '50' },
      streams: { type: 'string', default: '10' },
      events: { type: 'string', default: '500' },
    },
  });
  const { sockets, silent, streams, events } = {
    sockets: Number(values.sockets),
    silent: Number(values.silent),
    streams: Number(values.streams),
    events: Number(values.events),
  };
  if (
    ![sockets, silent, streams, events].every((value) => Number.isInteger(value) && value >= 0) ||
    silent >= sockets
  ) {
    console.log(USAGE);
    return 2;
  }
  if (openFilesLimit() < sockets + OTHER_FILES) {
    console.log(
      `A process may have ${openFilesLimit()} files open here, and ${sockets} sockets need ${sockets + OTHER_FILES}: ` +
        `run "ulimit -n ${sockets + OTHER_FILES}" first, or try fewer with --sockets.`,
    );
    return 2;
  }
  ensureBuilt();
  try {
    const gateway = await startGateway(
      { DATA_DIR: join(await temporaryFolder(), 'data') },
      { build: dist, preload: COUNTED },
    );
    const report = await prove(gateway, { sockets, silent, streams, events }, CARE);
    console.log(table(report));
    await gateway.end('SIGTERM');
    return report.broken.length > 0 ? 1 : 0;
  } finally {
    await cleanUp();
  }
}

process.exitCode = await main();
