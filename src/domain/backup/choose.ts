/** Which archives a restore is to use, and whether it can: looked at to their end before anything is changed. */
import { ConfigError } from '../../config.ts';
import type { Keys } from '../../db/keys.ts';
import { controlMigrations } from '../../db/migrations/control/index.ts';
import { TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import { type ArchiveHeader, BadArchive } from './archive.ts';
import { archivesAt } from './folder.ts';
import { type OpenArchive, openArchive, readArchive } from './read-archive.ts';
import { describeArchive } from './tell.ts';

export interface Chosen {
  control?: OpenArchive;
  tenants: OpenArchive[];
}

/**
 * @param paths files and folders. @param tenant the only tenant that is wanted, by slug or id.
 * @throws {ConfigError} naming each file that cannot be used, and why.
 */
export async function chooseArchives(
  paths: readonly string[],
  keys: Keys,
  say: (line: string) => void,
  tenant?: string,
): Promise<Chosen> {
  const files = (await Promise.all(paths.map(archivesAt))).flat();
  const problems: string[] = [];
  const archives: OpenArchive[] = [];
  for (const file of files) {
    try {
      const archive = await openArchive(file);
      if (!isWanted(archive.header, tenant)) continue;
      refuseNewer(archive.header);
      const end = await readArchive(archive, keys);
      say(`${file}: whole: ${describeArchive(archive.header, end)}`);
      archives.push(archive);
    } catch (error) {
      if (!(error instanceof BadArchive)) throw error;
      problems.push(`${file} cannot be used: ${error.message}.`);
    }
  }
  if (problems.length > 0) throw new ConfigError(`${problems.join('\n')}\nNothing has been changed.`);
  if (archives.length === 0)
    throw new ConfigError(tenant ? `There is no backup of ${tenant} in it.` : 'There is no backup in it.');
  return sorted(archives);
}

const isWanted = ({ tenant }: ArchiveHeader, wanted: string | undefined): boolean =>
  wanted === undefined || tenant?.slug === wanted || tenant?.id === wanted;

function refuseNewer({ schema }: ArchiveHeader): void {
  const newer = (what: string, has: number, known: number) =>
    new BadArchive(
      `it is of a newer version of the gateway (schema version ${has} of ${what}, this one knows ${known}): restore it with that one`,
    );
  if (schema.control > controlMigrations.length)
    throw newer('the control plane', schema.control, controlMigrations.length);
  if ((schema.tenant ?? 0) > TENANT_SCHEMA_VERSION) throw newer('tenants', schema.tenant!, TENANT_SCHEMA_VERSION);
}

function sorted(archives: OpenArchive[]): Chosen {
  const [control, second] = archives.filter(({ header }) => header.kind === 'control');
  if (second) throw new ConfigError('Two backups of the control plane: name the one that is to be restored.');
  const tenants = archives.filter(({ header }) => header.kind === 'tenant');
  const ids = tenants.map(({ header }) => header.tenant!.id);
  const twice = tenants.find(({ header }, index) => ids.indexOf(header.tenant!.id) !== index);
  if (twice)
    throw new ConfigError(
      `Two backups of the tenant ${twice.header.tenant!.slug}: name the one that is to be restored.`,
    );
  const [one, other] = new Set(archives.map(({ header }) => header.installation));
  if (other)
    throw new ConfigError(`The backups are of two installations, ${one} and ${other}: restore one after the other.`);
  return { control, tenants };
}
