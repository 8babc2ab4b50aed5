import { rm } from 'node:fs/promises';
import type { TestRun } from './global-setup.ts';

export default async function tearDown(): Promise<void> {
  const { server, dataDir } = (globalThis as unknown as { testRun: TestRun }).testRun;
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
}
