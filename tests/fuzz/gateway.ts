/** A gateway in this process for fuzz runs of tests, whose log can be read and to which faults can be added. */
import { Writable } from 'node:stream';
import { type App, buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { JWT_SECRET } from '../support/app.ts';
import { createControlDatabase, dropControlDatabase } from '../support/database.ts';
import { PASSWORD_MARK, type Target } from './model.ts';
import { ENVIRONMENT, startOtherServers } from './platform.ts';

export interface TargetApp extends Target {
  readonly app: App;
  stop(): Promise<void>;
}

/** @param prepare adds routes before it listens. */
export async function startTarget(prepare?: (app: App) => void): Promise<TargetApp> {
  const [databaseUrl, servers] = await Promise.all([createControlDatabase(), startOtherServers()]);
  const superAdmin = { email: 'root@platform.test', password: `${PASSWORD_MARK}-root` };
  let lines: string[] = [];
  const logged = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await buildApp({
    config: readConfig({ ...ENVIRONMENT, DATA_DIR: process.env.TEST_DATA_DIR }),
    databaseUrl,
    jwtSecret: JWT_SECRET,
    log: createLog('debug', logged),
    firstSuperAdmin: superAdmin,
  });
  prepare?.(app);
  await app.http.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.http.server.address() as { port: number };
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    databaseUrl,
    superAdmin,
    servers,
    secrets: [JWT_SECRET, servers.near.password, servers.far.password],
    log() {
      const read = lines;
      lines = [];
      return read;
    },
    async stop() {
      await app.close();
      await servers.stop();
      await dropControlDatabase(databaseUrl);
    },
  };
}
