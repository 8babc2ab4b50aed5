/**
 * Files that outlive a request: exports and archives of tenants. They are kept in a bucket of the platform's own where there is
 * an object store, else in a folder of `DATA_DIR`. What is in a folder is seen by the gateways alone that have that folder.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteRange, ObjectStore } from '../components/object-store.ts';
import { NoAnswerError, withDeadline } from '../components/probe.ts';
import type { Config } from '../config.ts';
import type { Place } from '../entities/control/tenant-export.ts';
import { AppError } from '../errors.ts';
import { syncFolder } from '../sync-folder.ts';

const DRAFT = '.draft';

/** How long the object store may take to begin to answer. What it then sends takes its time. */
const ANSWER_MS = 10_000;

/** Of names: a folder and a file, such as `exports/<id>.ndjson.gz`. */
export class KeptFiles {
  readonly #root: string;
  readonly #isShared: boolean;
  readonly #bucket: string;
  readonly #objects?: ObjectStore;

  /** @param code the installation's. */
  constructor(
    { dataDir, dataDirShared }: Pick<Config, 'dataDir' | 'dataDirShared'>,
    code: string,
    objects?: ObjectStore,
  ) {
    this.#root = dataDir;
    this.#isShared = dataDirShared;
    this.#bucket = `omnistream-${code}`;
    this.#objects = objects;
  }

  /** What is the only copy of something is not to lie on one process's disk, which may go with its container. @throws {AppError} conflict */
  refuseFleeting(): void {
    if (this.#objects || this.#isShared) return;
    throw new AppError('conflict', {
      message:
        'An archive is the only copy of its organization, and would be kept in DATA_DIR of one process. Set MINIO_URL to keep it in an object store, or ' +
        'DATA_DIR_SHARED=true where DATA_DIR is on a disk that stays and that all processes share.',
    });
  }

  /** A path to write to, on this machine, before the file is kept. */
  async draft(name: string): Promise<string> {
    const path = join(this.#root, `${name}.${randomUUID()}${DRAFT}`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return path;
  }

  /** Gives a draft its place. It is durable when this returns, and the draft is gone. */
  async keep(draft: string, name: string, signal: AbortSignal): Promise<Place> {
    if (this.#objects) {
      await this.#objects.write(this.#bucket, name, draft, signal);
      await rm(draft);
      return 'bucket';
    }
    const handle = await open(draft, 'r+');
    await handle.sync().finally(() => handle.close());
    const path = join(this.#root, name);
    await rename(draft, path);
    await syncFolder(dirname(path));
    return 'folder';
  }

  /** @throws {AppError} unavailable where it cannot be found from here. */
  async read(place: Place, name: string, range?: ByteRange): Promise<Readable> {
    if (place === 'bucket') {
      const found = await this.#asked((objects, signal) => objects.read(this.#bucket, name, signal, range));
      if (found) return found.content;
      throw new AppError('unavailable', { message: 'The file is not in the object store any more.' });
    }
    const handle = await open(join(this.#root, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new AppError('unavailable', {
        message:
          'The file is on the disk of another process. Let all of them share that folder of DATA_DIR, or an object store (MINIO_URL).',
        cause: error,
      });
    });
    return createReadStream('', { fd: handle, ...range });
  }

  /** The file on this machine. @returns its path, and what is called when it is not needed any more. */
  async local(place: Place, name: string, signal: AbortSignal): Promise<{ path: string; done(): Promise<void> }> {
    const content = await this.read(place, name);
    if (place === 'folder') {
      content.destroy();
      return { path: join(this.#root, name), done: async () => {} };
    }
    const path = await this.draft(name);
    const done = () => rm(path, { force: true });
    try {
      await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
    } catch (error) {
      await done();
      throw error;
    }
    return { path, done };
  }

  /** Whether it can be found from here. @throws {AppError} unavailable where the object store does not answer. */
  async has(place: Place, name: string): Promise<boolean> {
    if (place === 'folder') {
      const facts = await stat(join(this.#root, name)).catch(() => undefined);
      return facts !== undefined;
    }
    return this.#asked(async (objects, signal) => {
      for await (const found of objects.list(this.#bucket, name, signal)) if (found.name === name) return true;
      return false;
    });
  }

  /** Not there is fine. */
  async remove(place: Place, name: string): Promise<void> {
    if (place === 'bucket') await this.#asked((objects, signal) => objects.remove(this.#bucket, name, signal));
    else await rm(join(this.#root, name), { force: true });
  }

  /**
   * Removes what is nobody's any more of a folder: on this machine, and in the object store.
   *
   * @param isDone judges names such as `<folder>/<file>`, drafts included, by the time since they were written last.
   */
  async sweep(
    folder: string,
    isDone: (name: string, ageMs: number) => boolean | Promise<boolean>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = join(this.#root, folder);
    for (const file of await readdir(path).catch(() => [])) {
      signal.throwIfAborted();
      const facts = await stat(join(path, file)).catch(() => undefined);
      if (facts && (await isDone(`${folder}/${file}`, Date.now() - facts.mtimeMs))) {
        await rm(join(path, file), { force: true });
      }
    }
    if (!this.#objects) return;
    for await (const { name, modified } of this.#objects.list(this.#bucket, `${folder}/`, signal)) {
      if (await isDone(name, Date.now() - modified.getTime())) await this.remove('bucket', name);
    }
  }

  /** @throws {AppError} unavailable where there is no object store, or it does not answer. */
  async #asked<T>(ask: (objects: ObjectStore, signal: AbortSignal) => Promise<T>): Promise<T> {
    const objects = this.#store();
    try {
      return await withDeadline(ANSWER_MS, (signal) => ask(objects, signal));
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      throw new AppError('unavailable', { message: 'The object store does not answer.', retryAfter: 2, cause: error });
    }
  }

  #store(): ObjectStore {
    if (this.#objects) return this.#objects;
    throw new AppError('unavailable', {
      message: 'The file is in the object store, which is not configured (MINIO_URL).',
    });
  }
}
