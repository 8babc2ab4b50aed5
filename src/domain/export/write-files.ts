/** Writes what is in a tenant's bucket as one tar file, object by object. */
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { ObjectStore } from '../../components/object-store.ts';
import { type WrittenEntries, writeHashed } from './write-data.ts';

/**
 * A name in the archive for an object's. Whoever unpacks it is not to be led out of the folder: what a file system reads as a
 * step, and what begins at its root, is written with percent signs.
 */
const nameInArchive = (name: string): string =>
  `files/${name
    .split('/')
    .map((part) => (part === '' || part === '.' || part === '..' ? part.replaceAll('.', '%2E') || '%2F' : part))
    .join('/')}`;

/** Objects are taken as they are found: an object store has no instant that all of them could be of. */
export async function writeFiles(
  objects: ObjectStore,
  bucket: string,
  file: string,
  signal: AbortSignal,
): Promise<WrittenEntries> {
  const tar = pack();
  let entries = 0;
  const add = async () => {
    for await (const { name, modified } of objects.list(bucket, '', signal)) {
      const found = await objects.read(bucket, name, signal);
      // It went since it was listed.
      if (!found) continue;
      await pipeline(found.content, tar.entry({ name: nameInArchive(name), size: found.bytes, mtime: modified }), {
        signal,
      });
      entries += 1;
    }
    tar.finalize();
  };
  const adding = add().catch((error: unknown) => tar.destroy(error as Error));
  const written = await writeHashed(file, signal, tar as AsyncIterable<Buffer>);
  await adding;
  return { ...written, entries };
}
