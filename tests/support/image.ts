/** The Dockerfile's steps without a container engine: what it copies and runs, in a folder that stands for the image. */
import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Copy, DockerfileParser } from 'dockerfile-ast';

const run = promisify(execFile);

export interface Step {
  keyword: string;
  /** As they stand there, flags left out. */
  args: string[];
  flags: Record<string, string>;
}

export interface Stage {
  /** Such as `node:24-slim`. */
  base: string;
  name?: string;
  steps: Step[];
}

export function stagesOf(dockerfile: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((argument) => argument.getValue());
    if (keyword === 'FROM') {
      const [base, as, name] = words;
      stages.push({ base: base!, ...(as && { name }), steps: [] });
      continue;
    }
    const given = instruction instanceof Copy ? instruction.getFlags() : [];
    const flags = Object.fromEntries(given.map((flag) => [flag.getName(), flag.getValue() ?? '']));
    const raw = instruction.getRawArgumentsContent() ?? '';
    const text = raw.replace(/\\\n/g, ' ');
    const args = keyword === 'RUN' ? [text] : words;
    stages.at(-1)!.steps.push({ keyword, args, flags });
  }
  return stages;
}

/** A step that is written as a list of words, such as `CMD ["node", "main.js"]`. */
export function wordsOf({ args }: Step): string[] {
  const list = args.join(' ').replace(/^CMD +/, '');
  return JSON.parse(list) as string[];
}

/** Does what a stage copies, from these folders by the name of the stage; that of the project is ''. */
export async function copyInto(folder: string, { steps }: Stage, from: Record<string, string>): Promise<void> {
  for (const { keyword, args, flags } of steps) {
    if (keyword !== 'COPY') continue;
    const source = from[flags.from ?? '']!;
    const target = args.at(-1)!;
    for (const path of args.slice(0, -1)) {
      const name = path.replace(/^\/app\//, '');
      const to = target.endsWith('/') ? join(folder, target, name) : join(folder, target);
      await mkdir(dirname(to), { recursive: true });
      await cp(join(source, name), to, { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** Does what a stage runs. @param env besides that of this process. */
export async function runSteps(folder: string, { steps }: Stage, env: Record<string, string>): Promise<void> {
  for (const { keyword, args } of steps) {
    if (keyword !== 'RUN') continue;
    await run('sh', ['-c', args[0]!], { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 });
  }
}
