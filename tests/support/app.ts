/** The gateway as `npm start` builds it, listening on a free port, with a control database of its own. */
import type { Logger } from 'pino';
import { type App, buildApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { createControlDatabase, dropControlDatabase } from './database.ts';
import { SUPER_ADMIN } from './super-admin.ts';

export { SUPER_ADMIN };
export const JWT_SECRET = 'a secret of the tests, which is long enough';

export interface TestApp extends App {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Of its control database. */
  readonly databaseUrl: string;
  /** Stops the gateway and removes its databases. */
  stop(): Promise<void>;
}

/** A gateway, and what a suite has in it. Where that cannot be made, the gateway is ended again. */
export async function startAppWith<T>(fill: (app: TestApp) => Promise<T>): Promise<T> {
  const app = await startApp();
  try {
    return await fill(app);
  } catch (error) {
    await app.stop();
    throw error;
  }
}

/**
 * @param env variables on top of an empty environment.
 * @param databaseUrl a control database to share with another gateway; the one that made it removes it.
 * @param log of `LOG_LEVEL`.
 */
export async function startApp(env: Record<string, string> = {}, databaseUrl?: string, log?: Logger): Promise<TestApp> {
  const config: Config = readConfig({
    LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
    // Most tests need one or two tenants, or none.
    WARM_DATABASES: '0',
    DATA_DIR: process.env.TEST_DATA_DIR,
    ...env,
  });
  const controlUrl = databaseUrl ?? (await createControlDatabase());
  const app = await buildApp({
    config,
    databaseUrl: controlUrl,
    jwtSecret: config.jwtSecret ?? JWT_SECRET,
    formerJwtSecret: config.formerJwtSecret,
    log: log ?? createLog(config.logLevel),
    firstSuperAdmin: SUPER_ADMIN,
  });
  await app.http.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.http.server.address() as { port: number };
  return {
    ...app,
    url: `http://127.0.0.1:${port}`,
    databaseUrl: controlUrl,
    async stop() {
      await app.close();
      if (!databaseUrl) await dropControlDatabase(controlUrl);
    },
  };
}

/** Two processes of one installation. */
export interface TwoApps {
  here: TestApp;
  there: TestApp;
  stop(): Promise<void>;
}

export async function startTwoApps(): Promise<TwoApps> {
  const here = await startApp();
  const there = await startApp({}, here.databaseUrl);
  return {
    here,
    there,
    async stop() {
      await there.stop();
      await here.stop();
    },
  };
}
