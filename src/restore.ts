/**
 * `npm run restore -- <folder or file> ...`: exit code 0 when all is restored, 1 when somebody said no, 2 when something could not
 * be, 130 when it was stopped. What is not restored is as it was.
 */
import { parseArgs } from 'node:util';
import { archiveKeys } from './archive-keys.ts';
import { confirmed, interruptible, neededKeys, runCommand, say, withInstallation } from './command-line.ts';
import { ConfigError, readConfig } from './config.ts';
import { existingSecrets, rootSecrets } from './db/secrets.ts';
import { chooseArchives } from './domain/backup/choose.ts';
import { planRestore } from './domain/backup/plan.ts';
import { restore } from './domain/backup/restore.ts';

const USAGE =
  'Use: npm run restore -- <folder or file> ... [--tenant <slug or id> [--server <name>]] [--keep-servers] [--dry-run] [--yes]';

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        tenant: { type: 'string' },
        server: { type: 'string' },
        'keep-servers': { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        yes: { type: 'boolean' },
      },
    });
    if (values.server && !values.tenant) throw new Error('--server is for a tenant: --tenant.');
    if (positionals.length > 0) return { ...values, paths: positionals };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n${USAGE}`);
  }
  throw new ConfigError(USAGE);
}

await runCommand(async () => {
  const { paths, tenant, server: serverName, yes, 'dry-run': dryRun, 'keep-servers': keepServers } = readArguments();
  const config = readConfig(process.env);
  return interruptible(async (signal) => {
    const chosen = await chooseArchives(paths, await archiveKeys(config, paths), say, tenant);
    const make = chosen.control !== undefined && !dryRun;
    return withInstallation(
      config,
      async (found) => {
        const { databaseUrl } = found;
        const keys = neededKeys(found);
        for (const line of await planRestore({ databaseUrl, keys, keepServers, serverName }, chosen)) say(`- ${line}`);
        if (dryRun) return 0;
        if (!yes && !(await confirmed('Restore?', signal))) {
          say('Nothing has been changed.');
          return 1;
        }
        const secretsNow = async () => rootSecrets(config, await existingSecrets(config.dataDir))!;
        await restore({ databaseUrl, keys, secretsNow, signal, say, keepServers, serverName }, chosen);
        say('Restored. npm run doctor and npm run audit:verify say whether all is well.');
        return 0;
      },
      make,
    );
  });
});
