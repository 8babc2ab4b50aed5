/** `npm run tenants -- <command> ...`: what is done to tenants as a whole. Each command says how it is used. */
import { runCommand } from './command-line.ts';
import { ConfigError } from './config.ts';

/** @returns the exit code. */
type Command = (args: string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, () => Promise<{ run: Command }>>> = {
  archive: () => import('./tenants/archive.ts'),
  export: () => import('./tenants/export.ts'),
  move: () => import('./tenants/move.ts'),
  purge: () => import('./tenants/purge.ts'),
  restore: () => import('./tenants/restore.ts'),
  upgrade: () => import('./tenants/upgrade.ts'),
};

await runCommand(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load) return (await load()).run(args);
  const known = Object.keys(COMMANDS).map((command) => `npm run tenants -- ${command} --help`);
  throw new ConfigError(`${name ? `There is no command ${name}. ` : ''}Use:\n${known.join('\n')}`);
});
