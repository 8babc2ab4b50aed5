/** The process: configuration, PostgreSQL, listening, and a drain on the way out. */

import { flushCompileCache } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import type { App } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { type EmbeddedServer, launchEmbeddedServer } from './db/embedded-server.ts';
import { rootSecrets, storedSecrets } from './db/secrets.ts';
import { createLog } from './log.ts';
import { traceTo, tracing } from './telemetry/tracing.ts';

const DEFAULT_EMAIL = 'admin@omnistream.local';
/** After this long a drain is cut short; the next process picks up what is left. */
const DRAIN_LIMIT_MS = 9500;
/**
 * A gateway that is asked to stop by SIGTERM serves on for so long and says at /readyz that it leaves: connections that wait
 * in the kernel when the listening socket is closed are reset, so whoever balances load is to send no more before that.
 */
const LEAVE_MS = 1000;

const say = (text: string) => process.stdout.write(`${text}\n`);

/** What follows `npm start --`, as the variables that it stands for. @throws {ConfigError} */
function optionsIn(args: string[]): { ROLE?: string } {
  try {
    const { role } = parseArgs({ args, options: { role: { type: 'string' } } }).values;
    return role === undefined ? {} : { ROLE: role };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\nUsage: npm start -- [--role all|gateway|worker]`);
  }
}

async function main(): Promise<void> {
  const config = readConfig({ ...process.env, ...optionsIn(process.argv.slice(2)) });
  const log = createLog(config.logLevel, undefined, config.tracing !== undefined);
  const allGiven = config.databaseUrl && config.jwtSecret && config.superAdminPassword;
  const stored = allGiven ? undefined : await storedSecrets(config.dataDir);
  const { secret, former } = rootSecrets(config, stored)!;
  // Before the code is loaded, which keeps this process busy: PostgreSQL starts meanwhile.
  const launched = config.databaseUrl
    ? undefined
    : await launchEmbeddedServer({
        dataDir: config.dataDir,
        password: stored!.postgresPassword,
        notice: (message) => log.warn(message),
      });
  if (config.tracing) {
    const { openTelemetry } = await import('./telemetry/opentelemetry.ts');
    traceTo(await openTelemetry(config.tracing, log));
  }
  const loading = import('./app.ts');
  loading.catch(() => {});
  const server = await launched?.ready();
  const email = config.superAdminEmail ?? DEFAULT_EMAIL;
  const password = config.superAdminPassword ?? stored!.superAdminPassword;
  let app: App | undefined;
  try {
    const { buildApp } = await loading;
    app = await buildApp({
      config,
      log,
      databaseUrl: config.databaseUrl ?? server!.url,
      jwtSecret: secret,
      formerJwtSecret: former,
      secretsNow: async () => rootSecrets(config, stored && (await storedSecrets(config.dataDir)))!,
      lockedOut(why) {
        log.fatal(why);
        process.exitCode = 1;
        process.kill(process.pid, 'SIGTERM');
      },
      // A password that was made is shown by whoever serves the sign-in.
      ...(config.role !== 'worker' && { firstSuperAdmin: { email, password } }),
    });
    await app.http.listen({ port: config.port, host: config.host });
  } catch (error) {
    await app?.close().catch(() => {});
    await server?.stop();
    throw error;
  }
  drainOnSignals(app, server, log);
  announce(app, config, await signInLine(app, config, email, password));
  // Not only at an orderly end, which a process may not come to (main.ts). What is kept already is not written again.
  flushCompileCache();
}

/** A password that was made is shown until somebody has signed in: the start that made it may have ended before its end. */
async function signInLine(app: App, config: Config, email: string, password: string): Promise<string> {
  if (!(await app.awaitsFirstSignIn(email, password))) return 'as set up before';
  if (config.superAdminPassword) return `${email}, password from SUPER_ADMIN_PASSWORD`;
  return `${email}  password: ${password}  (shown until the first sign-in)`;
}

function announce(app: App, config: Config, signIn: string): void {
  const address = app.http.server.address();
  const port = typeof address === 'object' && address ? address.port : config.port;
  const host = ['0.0.0.0', '::'].includes(config.host) ? 'localhost' : config.host;
  const base = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const served = [
    ['Console', `${base}/console`],
    ['GraphQL', `${base}/graphql${config.playground ? '  (playground in a browser)' : ''}`],
    ['REST', `${base}/api  (described at ${base}/api/docs)`],
  ];
  const rows = [
    ...(config.role === 'worker' ? [] : served),
    ['Health', `${base}/api/health`],
    ['Data', config.databaseUrl ? 'external PostgreSQL (DATABASE_URL)' : config.dataDir],
    ...(config.role === 'worker' ? [] : [['Super admin', signIn]]),
  ];
  say(
    [
      '',
      `  OmniStream ${config.role === 'worker' ? 'worker' : 'gateway'} is up${config.role === 'gateway' ? ', without jobs: they are for workers' : ''}`,
      '',
      ...rows.map(([name, value]) => `  ${`${name}`.padEnd(12)} ${value}`),
      '',
    ].join('\n'),
  );
}

function drainOnSignals(app: App, server: EmbeddedServer | undefined, log: Logger): void {
  let draining = false;
  const drain = async (signal: string) => {
    if (draining) return;
    draining = true;
    log.info({ signal }, 'draining');
    setTimeout(() => {
      log.warn('the drain took too long and is cut short');
      process.exit();
    }, DRAIN_LIMIT_MS).unref();
    app.leave();
    // Nobody is sent elsewhere by a Ctrl-C at a terminal.
    if (signal === 'SIGTERM') await sleep(LEAVE_MS);
    await app.close().catch((error: unknown) => log.error({ err: error }, 'the drain met an error'));
    await Promise.all([server?.stop(), tracing?.close().catch(() => {})]);
    process.exit();
  };
  process.on('SIGTERM', drain);
  process.on('SIGINT', drain);
}

/** What an operator can do something about is told in a sentence; anything else with its stack. */
function explain(error: unknown, config: NodeJS.ProcessEnv): string {
  if (error instanceof ConfigError) return error.message;
  const { code, message, syscall, hostname } = error as NodeJS.ErrnoException & { hostname?: string };
  if (code === 'EADDRINUSE') {
    return `Port ${config.PORT || 4000} is already in use: stop what listens there, or set PORT to another one.`;
  }
  if (syscall === 'listen' || (syscall === 'getaddrinfo' && hostname === config.HOST)) {
    return `HOST and PORT cannot be listened on: ${message}\nSet HOST to an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them, and PORT to one that this user may take.`;
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR') {
    return `DATA_DIR cannot be used: ${message}\nSet it to a folder that can be written to, or set DATABASE_URL, JWT_SECRET and SUPER_ADMIN_PASSWORD, with which nothing is written.`;
  }
  if (config.DATABASE_URL && /ECONNREFUSED|ENOTFOUND|28P01|3D000|timeout/.test(`${code} ${message}`)) {
    return `The PostgreSQL in DATABASE_URL could not be used: ${message}`;
  }
  return (error as Error).stack ?? String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${explain(error, process.env)}\n\n`);
  process.exit(1);
});
