import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { dist } from './support/built.ts';

/** Logs some 32 MB, says so, and waits to be told to end. */
const PROGRAM = `
  const { createLog } = await import(process.argv[1]);
  const log = createLog('info');
  for (let n = 0; n < 32; n++) {
    for (let line = 0; line < 1000; line++) log.info({ filler: 'x'.repeat(950) }, 'a line');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log("logged");
  process.stdin.once('data', () => process.exit(0));
`;

test('lines that nobody reads are dropped rather than kept until the memory is full, and the log says how many', async () => {
  const module = pathToFileURL(join(dist, 'log.js')).href;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, module]);
  try {
    await once(child.stdout, 'data');
    let text = '';
    const told = new Promise<number>((resolve) => {
      child.stderr.on('data', (data) => {
        text += data;
        const lines = /"lines":(\d+),"msg":"log lines were dropped/.exec(text)?.[1];
        if (lines) resolve(Number(lines));
      });
    });
    const dropped = await told;
    expect(dropped).toBeGreaterThan(10_000);
    child.stdin.write('end');
    await once(child, 'close');
    expect(text.match(/"msg":"a line"/g)!.length + dropped).toBe(32_000);
  } finally {
    child.kill('SIGKILL');
  }
}, 30_000);
