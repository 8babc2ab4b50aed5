import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openEntrance } from './entrance.ts';

/**
 * A broker that speaks Kafka's protocol: the mock cluster inside kcat. It has no controller and lacks CreateTopics,
 * DeleteTopics and ListGroups; a topic comes into being when a client asks for its metadata, and stays.
 */
export interface KafkaBroker {
  readonly brokers: string[];
  readonly port: number;
  stop(): Promise<void>;
}

/** @param options.port a port to take again after `stop` (the topics are gone then); a free one otherwise. */
export async function startKafka(options: { port?: number } = {}): Promise<KafkaBroker> {
  const mock = await startMockCluster();
  // The mock cluster chooses another port each time; the entrance's stays the same.
  const entrance = await openEntrance(mock.port, options.port);
  return {
    brokers: [`127.0.0.1:${entrance.port}`],
    port: entrance.port,
    async stop() {
      await Promise.all([entrance.close(), mock.stop()]);
    },
  };
}

async function startMockCluster() {
  // kcat reads messages from stdin and ends with it: held open here, it closes when the tests die, however they die.
  const kcat = spawn('kcat', ['-P', '-b', 'x:1', '-X', 'test.mock.num.brokers=1', '-t', 't', '-d', 'mock'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ready = Promise.withResolvers<number>();
  let output = '';
  kcat.stderr.on('data', (chunk) => {
    // What it logs afterwards is read and forgotten, or the pipe would fill and stop it.
    if (output.length < 10_000) output += chunk;
    const port = /bootstrap\.servers=127\.0\.0\.1:(\d+)\b/.exec(output)?.[1];
    if (port) ready.resolve(Number(port));
  });
  kcat.once('error', ready.reject);
  kcat.once('exit', () => ready.reject(new Error(`kcat ended at once: ${output}`)));
  return {
    port: await ready.promise,
    async stop() {
      if (kcat.exitCode === null && kcat.kill('SIGKILL')) await once(kcat, 'exit');
    },
  };
}
