import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface S3rver {
  readonly httpServer: Server;
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
}
// It has no types of its own, nor at DefinitelyTyped.
const S3rverClass = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;

/** A running S3-compatible server (the npm package s3rver), its one account in the URL. */
export interface S3Server {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** @param options.port a port to take again after `stop` (the buckets are gone then); a free one otherwise. */
export async function startS3(options: { port?: number } = {}): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 's3-'));
  const server = new S3rverClass({ address: '127.0.0.1', port: options.port ?? 0, directory, silent: true });
  const { port } = await server.run();
  return {
    url: `http://S3RVER:S3RVER@127.0.0.1:${port}`,
    port,
    async stop() {
      if (!server.httpServer.listening) return;
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
