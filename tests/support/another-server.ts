/** Further PostgreSQL servers, as bare as they start. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/db/embedded-server.ts';
import { randomPassword } from '../../src/db/secrets.ts';

/** Another PostgreSQL server, with an empty control database. */
export async function anotherServer(): Promise<EmbeddedServer & { remove(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'omnistream-restored-'));
  const server = await startEmbeddedServer({
    dataDir,
    password: randomPassword(),
    notice: () => {},
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' },
  });
  return {
    ...server,
    async remove() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
