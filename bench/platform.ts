/**
 * What everything is measured on: an embedded PostgreSQL as shipped, the gateway's control database with its tenants, and a
 * copy of it for the other servers, so that nobody's writes are in somebody else's way.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../src/db/embedded-server.ts';
import { TENANT_SCHEMA_VERSION } from '../src/db/migrations/tenant/index.ts';
import { type Actor, provision, superAdmin, type Tenant } from '../tests/support/actors.ts';
import { START } from '../tests/support/built.ts';
import { sql } from '../tests/support/database.ts';
import { temporaryFolder } from '../tests/support/gateway-process.ts';
import { SUPER_ADMIN } from '../tests/support/super-admin.ts';
import { allCores, type Pins } from './machine.ts';
import { COLLECTS, endServers, MODULES, Server } from './servers.ts';

/** Tenants that have databases; all others are rows in the control database. */
const REAL_TENANTS = 20;
const PEERS_DATABASE = 'peers';

export interface Platform {
  readonly pins: Pins;
  readonly folder: string;
  readonly jwtSecret: string;
  /** The gateway's control database, and the other servers' copy of it. */
  readonly databases: { gateway: string; peers: string };
  readonly gateway: Server;
  /** One more gateway on the same database, on whatever core has room; it ends with the others. */
  another(name: string): Promise<Server>;
  /** A super admin, whose token all servers take. */
  readonly admin: Actor;
  /** Ids of all tenants, ascending. */
  readonly tenantIds: string[];
  /** Those with databases. */
  readonly tenants: Tenant[];
  /** The postmaster. */
  postgresPid(): number;
  close(): Promise<void>;
}

export interface PlatformOptions {
  /** In all. */
  tenants: number;
  /** Those of them that have databases. */
  real?: number;
  /** Of the gateway, on top of what it needs. */
  env?: Record<string, string>;
  say(text: string): void;
  /** A folder for a profile of the gateway. */
  profile?: string;
}

export async function openPlatform(pins: Pins, options: PlatformOptions): Promise<Platform> {
  const folder = await temporaryFolder();
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { mode: 0o755 });
  const jwtSecret = randomBytes(48).toString('base64url');
  options.say('Starting PostgreSQL…');
  const postgres = await startEmbeddedServer({
    dataDir,
    password: randomBytes(24).toString('base64url'),
    notice: () => {},
  });
  try {
    return await fill({ ...options, pins, folder, jwtSecret, postgres });
  } catch (error) {
    await endServers();
    await postgres.stop();
    throw error;
  }
}

interface Filling extends PlatformOptions {
  pins: Pins;
  folder: string;
  jwtSecret: string;
  postgres: EmbeddedServer;
}

async function fill({ pins, folder, jwtSecret, postgres, say, profile, ...options }: Filling): Promise<Platform> {
  const { tenants: count, real = REAL_TENANTS } = options;
  const { url } = postgres;
  const peers = new URL(url);
  peers.pathname = `/${PEERS_DATABASE}`;
  const startGateway = (nodeOptions: string[] = [], name = 'gateway', cores: string | undefined = pins.server) =>
    Server.start({
      name,
      args: [...nodeOptions, ...COLLECTS, ...(profile ? MODULES : START)],
      log: join(folder, `${name}.log`),
      cores,
      env: {
        PORT: '0',
        DATABASE_URL: url,
        DATA_DIR: join(folder, 'unused'),
        JWT_SECRET: jwtSecret,
        SUPER_ADMIN_EMAIL: SUPER_ADMIN.email,
        SUPER_ADMIN_PASSWORD: SUPER_ADMIN.password,
        ...options.env,
      },
    });
  let gateway = await startGateway();
  say(
    `Making ${real === 1 ? 'one tenant with a database' : `${real} tenants with databases`}, and ${count - real} more as rows…`,
  );
  const admin = await superAdmin(gateway);
  const tenants: Tenant[] = [];
  for (let made = 0; made < real; made++) tenants.push(await provision(admin));
  // A database that somebody is connected to cannot be copied.
  await gateway.end();
  await insertTenants(url, real, count);
  await sql(url, 'vacuum analyze');
  await sql(peers.href.replace(PEERS_DATABASE, 'postgres'), `create database ${PEERS_DATABASE} template omnistream`);
  const rows = await sql<{ id: string }>(url, 'select id from organizations order by id');
  const [settings] = await sql<{ pid: number }>(
    url,
    `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
  );
  gateway = await startGateway(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
  return {
    pins,
    folder,
    jwtSecret,
    databases: { gateway: url, peers: peers.href },
    gateway,
    another: (name) => startGateway([], name, allCores(pins)),
    admin: await superAdmin(gateway),
    tenantIds: rows.map(({ id }) => id),
    tenants,
    postgresPid: () => settings!.pid,
    async close() {
      // It writes its profile when it ends by itself.
      if (profile) await gateway.end();
      await endServers();
      await postgres.stop();
    },
  };
}

/**
 * Tenants as a platform has them after some years: of several countries, some without limits, few suspended.
 *
 * @param from so many are there already. @param to so many there are then.
 */
export async function insertTenants(databaseUrl: string, from: number, to: number): Promise<void> {
  await sql(
    databaseUrl,
    `with made as (
       insert into organizations
         (id, name, slug, status, country, limits, mongo_database, schema_version, created_at, updated_at)
       select uuidv7(make_interval(secs => n - ${to})), 'Perusahaan ' || n || ' & Söhne', 'company-' || n,
              (case when n % 50 = 0 then 'suspended' else 'active' end)::tenant_status,
              (array['ID', 'SG', 'MY', 'DE', null])[1 + n % 5],
              case when n % 4 = 0 then '{}'::jsonb
                   else jsonb_build_object('maxAgents', 5 + n % 200, 'maxContacts', 1000 * (1 + n % 90)) end,
              'crm_company-' || n, ${TENANT_SCHEMA_VERSION}, now() - make_interval(secs => ${to} - n), now() - make_interval(secs => n % 5000)
         from generate_series(${from + 1}, ${to}) n
       returning id, updated_at)
     insert into usage (id, org_id, agent_count, contact_count, messages_this_month, active_integrations, active_channels,
                        usage_month, timezone, updated_at)
     select uuidv7(), id, (random() * 200)::int, (random() * 90000)::int, (random() * 900000)::int, (random() * 4)::int,
            '{whatsapp,email}', date_trunc('month', now()), 'UTC', updated_at from made`,
  );
}
