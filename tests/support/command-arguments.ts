import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * The command line of one of the developers' commands. What it does not know is told, with how the command is used, and ends the
 * process with 2.
 */
export function commandArguments<T extends ParseArgsConfig>(usage: string, config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}
