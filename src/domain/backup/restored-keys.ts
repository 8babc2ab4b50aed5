/** Lets a restored control plane have the secret in use, whichever the backup was made under (docs/decisions/0040). */
import type pg from 'pg';
import { nowMs } from '../../clock.ts';
import { readGenerations, writeGenerations } from '../../db/key-generations.ts';
import type { Generation, Keys } from '../../db/keys.ts';
import { goByDatabase } from '../../live/clock-watch.ts';
import { sealAnew } from '../sealed-values.ts';
import type { ArchiveHeader } from './archive.ts';
import type { OpenArchive } from './read-archive.ts';

/** Since then nobody may link with the backup's key: as the present control plane knows it, unless the backup is of later. */
const replacedAt = ({ usedFrom }: Generation, { takenAt }: ArchiveHeader): number =>
  usedFrom >= Date.parse(takenAt) ? usedFrom : nowMs();

/**
 * Writes down the keys of the backup, those that the present control plane has had, and last the ones in use; seals what was restored
 * with these. The keys then are those of the restored control plane.
 *
 * @param client of the database that was filled. @returns whether the backup was made under another secret.
 */
export async function takeOverKeys(client: pg.ClientBase, { header }: OpenArchive, keys: Keys): Promise<boolean> {
  await goByDatabase(client);
  const found = await readGenerations(client, keys);
  const restored = found ?? [{ set: keys.ofArchive(header.key)!, usedFrom: nowMs() }];
  const { set } = keys.newest;
  const isNew = restored.at(-1)!.set.id !== set.id;
  const usedFrom = isNew ? replacedAt(keys.newest, header) : restored.at(-1)!.usedFrom;
  const ids = new Set(restored.map((one) => one.set.id));
  const former = [...restored, ...keys.generations.filter((one) => !ids.has(one.set.id))].filter(
    (one) => one.set.id !== set.id,
  );
  const generations: Generation[] = [...former, { set, usedFrom }];
  keys.adopt(generations);
  if (isNew || generations.length !== found?.length) {
    await writeGenerations(client, generations);
    await sealAnew(client, keys);
  }
  return isNew;
}
