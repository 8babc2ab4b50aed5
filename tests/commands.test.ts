import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

/** Those that the gateway's own build has no part in: Node takes the types out of their sources. */
async function commandsFromSource(): Promise<[name: string, file: string][]> {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  return Object.entries<string>(scripts).flatMap(([name, line]) => {
    const file = line.match(/^exec node (\S+\.ts)$/)?.[1];
    return file ? [[name, file]] : [];
  });
}

const run = (file: string) =>
  new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(process.execPath, [file, '--no-such-option'], (error, stdout, stderr) => {
      resolve({ code: error?.code, output: stdout + stderr });
    });
  });

test('every command for developers starts, and says how it is used when it is asked for what it does not know', async () => {
  const commands = await commandsFromSource();
  expect(commands.map(([name]) => name)).toEqual(
    expect.arrayContaining(['bench', 'chaos', 'fuzz', 'prove:hours', 'prove:subscribers', 'prove:upgrades', 'scale']),
  );
  for (const [name, file] of commands) {
    const { code, output } = await run(file);
    expect({ name, code, output }).toEqual({
      name,
      code: 2,
      output: expect.stringContaining(`Usage: npm run ${name}`),
    });
  }
});
