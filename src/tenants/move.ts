/**
 * `npm run tenants -- move ...`: moves a tenant to another database server, and shows how it goes. The work is done by the gateways
 * that run; the command may be ended and started again. Exit code 0 when the move came to its end, 1 when it did not, 2 when
 * nothing could be asked for, 130 when the command was stopped.
 */
import { parseArgs } from 'node:util';
import { interruptible, neededKeys, withInstallation } from '../command-line.ts';
import { ConfigError, readConfig } from '../config.ts';
import { type MoveVerb, moveByCommand } from '../domain/move/command.ts';

const USAGE = `Use: npm run tenants -- move <slug or id> <name of a server> [--max-read-only <seconds>] [--finish]
     npm run tenants -- move <slug or id> [--undo | --cancel | --finish]   (with none: shows how it goes)`;

/** @throws {ConfigError} when the command line cannot be used. */
function readArguments(args: string[]): { tenant: string; verb: MoveVerb } {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        'max-read-only': { type: 'string' },
        undo: { type: 'boolean' },
        cancel: { type: 'boolean' },
        finish: { type: 'boolean' },
      },
    });
    const [tenant, server, ...more] = positionals;
    const { undo, cancel, finish = false, 'max-read-only': seconds } = values;
    if (!tenant || more.length > 0) throw new Error('One tenant, and one server at most.');
    if ((server && (undo || cancel)) || [undo, cancel, finish].filter(Boolean).length > 1) {
      throw new Error('One thing at a time.');
    }
    if (
      seconds !== undefined &&
      !(server && /^\d{1,3}$/.test(seconds) && Number(seconds) >= 2 && Number(seconds) <= 300)
    ) {
      throw new Error('--max-read-only is a number of seconds from 2 to 300, for a move to a server.');
    }
    if (server) return { tenant, verb: { to: server, seconds: seconds ? Number(seconds) : undefined, finish } };
    return { tenant, verb: undo ? 'undo' : cancel ? 'cancel' : finish ? 'finish' : 'watch' };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

/** @returns the exit code. */
export async function run(args: string[]): Promise<number> {
  const { tenant, verb } = readArguments(args);
  const config = readConfig(process.env);
  const keys = await neededKeys(config);
  return interruptible((signal) =>
    withInstallation(config, ({ databaseUrl }) => moveByCommand({ databaseUrl, keys, tenant, verb, signal })),
  );
}
