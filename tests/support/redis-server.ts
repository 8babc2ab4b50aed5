import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A running redis-server (Debian's binary) that keeps nothing on disk. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** @param options.port a port to take again after `stop`; a free one otherwise. @param options.password asked of clients. */
export async function startRedis(options: { port?: number; password?: string } = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const settings = {
    bind: '127.0.0.1',
    port,
    dir: directory,
    save: '',
    appendonly: 'no',
    requirepass: options.password,
  };
  const server = spawn(
    'setpriv',
    // The kernel ends it when the tests die, however they die.
    ['--pdeathsig', 'KILL', 'redis-server', ...Object.entries(settings).flatMap(asOption)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await untilReady(server);
  return {
    url: `redis://${options.password ? `:${options.password}@` : ''}127.0.0.1:${port}`,
    port,
    pid: server.pid!,
    async stop() {
      if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const asOption = ([name, value]: [string, string | number | undefined]) =>
  value === undefined ? [] : [`--${name}`, String(value)];

async function untilReady(server: ChildProcess): Promise<void> {
  let output = '';
  const ready = Promise.withResolvers<void>();
  server.stdout?.on('data', (chunk) => {
    output += chunk;
    if (output.includes('Ready to accept connections')) ready.resolve();
  });
  server.once('error', ready.reject);
  server.once('exit', () => ready.reject(new Error(`redis-server ended at once: ${output}`)));
  await ready.promise;
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
