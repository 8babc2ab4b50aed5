/** Opens what a gateway process needs, in the order in which it depends on itself, and closes it the other way round. */
import { Client } from 'pg';
import type { Logger } from 'pino';
import { makeComponents } from './components/index.ts';
import { type Config, ConfigError } from './config.ts';
import type { Services } from './context.ts';
import { type ControlDatabase, openControl } from './db/control.ts';
import { DatabaseServers } from './db/database-servers.ts';
import { settleGenerations } from './db/key-generations.ts';
import { Keys } from './db/keys.ts';
import { LOCKS } from './db/locks.ts';
import { controlMigrations } from './db/migrations/control/index.ts';
import { refuseChanged } from './db/migrations/frozen.ts';
import { tenantMigrations } from './db/migrations/tenant/index.ts';
import { Queue } from './db/queue.ts';
import type { RootSecrets } from './db/secrets.ts';
import { TenantDatabases } from './db/tenants.ts';
import { WarmDatabases } from './db/warm-databases.ts';
import { AccessMemory } from './domain/access.ts';
import { ApiKeyRing } from './domain/api-key-ring.ts';
import { AuditTail } from './domain/audit-tail.ts';
import { HealthMonitor } from './domain/health.ts';
import { HoursWatch } from './domain/hours-watch.ts';
import { installationCode } from './domain/installation.ts';
import { KeptFiles } from './domain/kept-files.ts';
import { LastUse } from './domain/last-use.ts';
import { LoginThrottle } from './domain/login-throttle.ts';
import { followMoves } from './domain/move/follow.ts';
import { Revocations } from './domain/revocations.ts';
import { Schedules } from './domain/schedules.ts';
import { SecretWatch } from './domain/secret-watch.ts';
import { SigningKeys } from './domain/signing-keys.ts';
import { ensureFirstSuperAdmin } from './domain/super-admins.ts';
import { TenantDirectory } from './domain/tenant-directory.ts';
import { warmSeeds } from './domain/tenant-seeds.ts';
import { Tokens } from './domain/tokens.ts';
import { startByItself } from './domain/upgrades/automatic.ts';
import { ClockWatch } from './live/clock-watch.ts';
import { EventBus } from './live/event-bus.ts';
import { listensToPostgres, relayEvents } from './live/relay.ts';
import { Metrics } from './telemetry/metrics.ts';

export interface OpenOptions {
  config: Config;
  /** Of the control-plane database. */
  databaseUrl: string;
  jwtSecret: string;
  /** The one before, while it is being changed (docs/decisions/0040). */
  formerJwtSecret?: string;
  /** Both as they are now, where they may change while the process runs. */
  secretsNow?(): Promise<RootSecrets>;
  /** Called when the secret was changed for one that this process has not been given: it cannot go on. */
  lockedOut?(why: string): void;
  log: Logger;
  /** The first super admin, made on an empty database. */
  firstSuperAdmin?: { email: string; password: string };
}

export interface OpenServices {
  services: Services;
  close(): Promise<void>;
}

export async function openServices({
  config,
  databaseUrl,
  jwtSecret,
  formerJwtSecret,
  secretsNow,
  lockedOut,
  log,
  firstSuperAdmin,
}: OpenOptions): Promise<OpenServices> {
  const keys = new Keys(jwtSecret, formerJwtSecret);
  const metrics = new Metrics();
  const control = await openControl(databaseUrl, log);
  const clock = new ClockWatch(control.pool, log);
  await clock.start();
  const queue = new Queue(databaseUrl, log, config.role !== 'gateway', metrics);
  const servers = await setUp(config, control, queue, keys, log, firstSuperAdmin);
  const components = await makeComponents(config.components);
  const tenants = await TenantDatabases.open({ control, keys, servers, connections: config.tenantConnections, log });
  const bus = new EventBus({ url: databaseUrl, log, listens: listensToPostgres(config) });
  const { redisUrl } = config.components;
  // Loaded only where it is configured: the client is a fifth of all modules.
  const redis = redisUrl ? new (await import('./live/redis-link.ts')).RedisLink(redisUrl, log) : undefined;
  const revocations = new Revocations();
  await bus.start();
  if (redis) relayEvents(config, bus, redis, servers.home.code);
  await servers.follow(bus);
  await followMoves(bus, control, tenants);
  await revocations.start(bus, control.orm.em.fork());
  const signing = new SigningKeys(keys);
  const tokens = new Tokens(signing, revocations);
  const changed = () => tokens.forget();
  signing.follow(bus, log, changed);
  const secretWatch = new SecretWatch({ keys, signing, control, log, secretsNow, lockedOut, changed });
  await secretWatch.start(bus);
  const health = new HealthMonitor(databaseUrl, components, servers);
  const schedules = new Schedules(tenants, bus);
  const hoursWatch = new HoursWatch(schedules, bus, log);
  const seeds = warmSeeds(config.defaultTimezone);
  const services: Services = {
    config,
    log,
    metrics,
    keys,
    control,
    tenants,
    servers,
    warmOn: (server) => new WarmDatabases(server, seeds, log),
    components,
    bus,
    redis,
    clock,
    queue,
    revocations,
    tokens,
    throttle: new LoginThrottle(control.pool, keys),
    health,
    directory: new TenantDirectory(control, bus),
    schedules,
    hoursWatch,
    auditTail: new AuditTail(control, bus),
    access: new AccessMemory(tenants, bus),
    apiKeys: new ApiKeyRing(control, bus),
    lastUse: new LastUse(control),
    kept: new KeptFiles(config, servers.home.code, components.objects),
  };
  return {
    services,
    async close() {
      clock.stop();
      hoursWatch.close();
      secretWatch.stop();
      await Promise.all([bus.stop(), redis?.close()]);
      await Promise.all([components.close(), health.close(), tenants.close()]);
      await servers.close();
      await control.close();
    },
  };
}

/** Brings the control database to this version; of several processes that start at once, one does it and the others wait. */
async function setUp(
  config: Config,
  control: ControlDatabase,
  queue: Queue,
  keys: Keys,
  log: Logger,
  first: OpenOptions['firstSuperAdmin'],
) {
  const lock = new Client({ connectionString: control.url, connectionTimeoutMillis: 10_000 });
  lock.on('error', () => {});
  await lock.connect();
  try {
    await lock.query(`select pg_advisory_lock(${LOCKS.setup}, 0)`);
    await refuseWithoutRights(lock);
    refuseChanged([...controlMigrations, ...tenantMigrations]);
    await migrate(control);
    const em = control.orm.em.fork();
    await settleGenerations(lock, keys);
    const servers = await DatabaseServers.open({ control, keys, code: await installationCode(em), log });
    await servers.home.closeControl();
    await servers.home.ensureTemplate();
    await queue.start();
    await startByItself({ config, control, log }, true);
    if (first) await ensureFirstSuperAdmin(em, first.email, first.password);
    return servers;
  } finally {
    await lock.end();
  }
}

/** MikroORM's migrator takes 15 ms to find out that there is nothing to do. */
async function migrate({ orm, pool }: ControlDatabase): Promise<void> {
  const undefinedTable = '42P01';
  const { rows } = await pool.query<{ name: string }>('select name from mikro_orm_migrations').catch((error) => {
    if (error.code === undefinedTable) return { rows: [] };
    throw error;
  });
  const done = new Set(rows.map(({ name }) => name));
  if (!controlMigrations.every(({ name }) => done.has(name))) await orm.migrator.up();
}

async function refuseWithoutRights(client: Client): Promise<void> {
  const { rows } = await client.query<{ able: boolean; version: number }>(
    `select rolsuper or (rolcreatedb and rolcreaterole) as able, current_setting('server_version_num')::int as version
       from pg_roles where rolname = current_user`,
  );
  if (!rows[0]?.able) {
    throw new ConfigError(
      'The role in DATABASE_URL must be able to create databases and roles (CREATEDB and CREATEROLE).',
    );
  }
  if (rows[0].version < 150_000) throw new ConfigError('PostgreSQL 15 or newer is needed.');
}
