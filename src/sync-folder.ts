import { open } from 'node:fs/promises';

/** That a file has its name is on the disk only with its folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
