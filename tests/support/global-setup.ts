/** One real PostgreSQL for the whole run; each test file has databases of its own on it. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/db/embedded-server.ts';

export interface TestRun {
  server: EmbeddedServer;
  dataDir: string;
}

export default async function setUp(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'omnistream-test-'));
  const server = await startEmbeddedServer({
    dataDir,
    password: 'only-for-this-run',
    notice: () => {},
    // What is written here need not outlive the run.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' },
  });
  process.env.TEST_DATABASE_URL = server.url;
  // Gateways remove files that they do not know: not those of the one that a developer runs in ./data.
  process.env.TEST_DATA_DIR = join(dataDir, 'files');
  (globalThis as { testRun?: TestRun }).testRun = { server, dataDir };
}
