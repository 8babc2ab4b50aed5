/**
 * `npm run backup -- --out <folder>`: exit code 0 when the backup is whole, 1 when `verify` finds one that is not, 2 when it
 * could not be made, 130 when it was stopped. The gateway may run or not.
 */
import { parseArgs } from 'node:util';
import { archiveKeys } from './archive-keys.ts';
import { interruptible, neededKeys, runCommand, say, withInstallation } from './command-line.ts';
import { makeComponents } from './components/index.ts';
import { ConfigError, readConfig } from './config.ts';
import { BadArchive } from './domain/backup/archive.ts';
import { archivesAt } from './domain/backup/folder.ts';
import { openArchive, readArchive } from './domain/backup/read-archive.ts';
import { backUp, type Wanted } from './domain/backup/run.ts';
import { describeArchive } from './domain/backup/tell.ts';
import { KeptFiles } from './domain/kept-files.ts';

const USAGE = `Use: npm run backup -- --out <folder> [--all | --control | --tenant <slug or id> [--from <server>]] [--keep <number>]
     npm run backup -- verify <folder or file> ...`;

const options = {
  out: { type: 'string' },
  all: { type: 'boolean' },
  control: { type: 'boolean' },
  tenant: { type: 'string' },
  from: { type: 'string' },
  keep: { type: 'string' },
} as const;

type Arguments = ReturnType<typeof readArguments>;

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
}

/** @throws {ConfigError} when the command line cannot be used. */
function wanted({ values: { out, all, control, tenant, from, keep }, positionals }: Arguments): Wanted {
  if (!out || positionals.length > 0) throw new ConfigError(USAGE);
  if ([all, control, tenant !== undefined].filter(Boolean).length > 1) {
    throw new ConfigError(`One of --all, --control and --tenant.\n${USAGE}`);
  }
  if (from !== undefined && tenant === undefined) {
    throw new ConfigError(
      `--from is of one tenant, whose database a move that was abandoned has kept there.\n${USAGE}`,
    );
  }
  if (keep !== undefined && !/^[1-9]\d{0,5}$/.test(keep)) {
    throw new ConfigError(`--keep is a number of backups, 1 or more.\n${USAGE}`);
  }
  const what = control ? 'control' : tenant === undefined ? 'all' : { tenant, from };
  return { out, what, keep: keep ? Number(keep) : undefined };
}

/** Reads archives to their end and holds them against themselves. */
async function verify(paths: string[]): Promise<number> {
  if (paths.length === 0) throw new ConfigError(USAGE);
  const keys = await archiveKeys(readConfig(process.env), paths);
  let bad = 0;
  for (const file of (await Promise.all(paths.map(archivesAt))).flat()) {
    try {
      const archive = await openArchive(file);
      const end = await readArchive(archive, keys);
      say(`${file}: whole: ${describeArchive(archive.header, end)}`);
    } catch (error) {
      if (!(error instanceof BadArchive)) throw error;
      bad += 1;
      say(`${file}: NOT USABLE: ${error.message}.`);
    }
  }
  return bad > 0 ? 1 : 0;
}

await runCommand(async () => {
  const args = readArguments();
  if (args.positionals[0] === 'verify') return verify(args.positionals.slice(1));
  const backup = wanted(args);
  const config = readConfig(process.env);
  return interruptible(async (signal) => {
    const components = await makeComponents(config.components);
    const keptAt = (code: string) => new KeptFiles(config, code, components.objects);
    try {
      await withInstallation(config, (found) =>
        backUp({ ...backup, databaseUrl: found.databaseUrl, keys: neededKeys(found), keptAt, signal, say }),
      );
    } finally {
      await components.close();
    }
    say('It is of no use without the secret that the gateway runs with: keep JWT_SECRET, or secrets.json, elsewhere.');
    return 0;
  });
});
