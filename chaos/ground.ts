/** Where experiments take place: a PostgreSQL server of their own, and installations with gateways on it. */
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../src/db/embedded-server.ts';
import { ensureBuilt } from '../tests/support/built.ts';
import { cleanUp, temporaryFolder } from '../tests/support/gateway-process.ts';
import { type Equipment, Installation } from './installation.ts';

export interface GroundOptions {
  /** The folder of another compiled gateway than the one that `npm start` runs. */
  build?: string;
}

export class Ground {
  readonly folder: string;
  readonly build?: string;
  readonly #server: EmbeddedServer;
  readonly #installations = new Set<Installation>();

  private constructor(folder: string, build: string | undefined, server: EmbeddedServer) {
    this.folder = folder;
    this.build = build;
    this.#server = server;
  }

  static async open({ build }: GroundOptions = {}): Promise<Ground> {
    ensureBuilt();
    const folder = await temporaryFolder();
    const dataDir = join(folder, 'data');
    const server = await startEmbeddedServer({
      dataDir,
      password: 'only-for-these-trials',
      notice: () => {},
      // Processes die here, and never the machine: what was written is safe with the kernel.
      settings: { fsync: 'off', max_connections: '400' },
    });
    return new Ground(folder, build, server);
  }

  /** Holds the server's data. */
  get dataDir(): string {
    return join(this.folder, 'data');
  }

  /** A control database without anything in it. */
  async install(equipment: Equipment = {}): Promise<Installation> {
    const installation = await Installation.make(this.#server.url, this.build, equipment);
    this.#installations.add(installation);
    return installation;
  }

  /** Ends an installation's gateways and removes what it made. */
  async remove(installation: Installation): Promise<void> {
    this.#installations.delete(installation);
    await installation.remove();
  }

  /** Removes the installations that an experiment which could not go on has left. */
  async clear(): Promise<void> {
    for (const installation of this.#installations) await this.remove(installation);
  }

  /** Ends everything that was started, whatever state it is in. */
  async close(): Promise<void> {
    await Promise.all([...this.#installations].map((installation) => installation.stop()));
    await this.#server.stop();
    await cleanUp();
  }
}
