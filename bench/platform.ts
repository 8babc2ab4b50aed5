/**
 * What everything is measured on: an embedded PostgreSQL as shipped, the gateway's control database with its tenants, and a
 * copy of it for the other servers, so that nobody's writes are in somebody else's way.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../src/db/embedded-server.ts';
import { type Actor, provision, superAdmin, type Tenant } from '../tests/support/actors.ts';
import { sql } from '../tests/support/database.ts';
import { temporaryFolder } from '../tests/support/gateway-process.ts';
import { SUPER_ADMIN } from '../tests/support/super-admin.ts';
import type { Pins } from './machine.ts';
import { endServers, GATEWAY, Server } from './servers.ts';

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

export async function openPlatform(
  pins: Pins,
  tenantCount: number,
  say: (text: string) => void,
  profile?: string,
): Promise<Platform> {
  const folder = await temporaryFolder();
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { mode: 0o755 });
  const jwtSecret = randomBytes(48).toString('base64url');
  say('Starting PostgreSQL…');
  const postgres = await startEmbeddedServer({
    dataDir,
    password: randomBytes(24).toString('base64url'),
    notice: () => {},
  });
  try {
    return await fill({ pins, folder, jwtSecret, postgres, tenantCount, say, profile });
  } catch (error) {
    await endServers();
    await postgres.stop();
    throw error;
  }
}

interface Filling {
  pins: Pins;
  folder: string;
  jwtSecret: string;
  postgres: EmbeddedServer;
  tenantCount: number;
  say(text: string): void;
  /** A folder for a profile of the gateway. */
  profile?: string;
}

async function fill({ pins, folder, jwtSecret, postgres, tenantCount, say, profile }: Filling): Promise<Platform> {
  const { url } = postgres;
  const peers = new URL(url);
  peers.pathname = `/${PEERS_DATABASE}`;
  const startGateway = (options: string[] = []) =>
    Server.start({
      name: 'gateway',
      args: [...options, ...GATEWAY],
      log: join(folder, 'gateway.log'),
      cores: pins.server,
      env: {
        PORT: '0',
        DATABASE_URL: url,
        DATA_DIR: join(folder, 'unused'),
        JWT_SECRET: jwtSecret,
        SUPER_ADMIN_EMAIL: SUPER_ADMIN.email,
        SUPER_ADMIN_PASSWORD: SUPER_ADMIN.password,
      },
    });
  let gateway = await startGateway();
  say(`Making ${REAL_TENANTS} tenants with databases, and ${tenantCount - REAL_TENANTS} more as rows…`);
  const admin = await superAdmin(gateway);
  const tenants: Tenant[] = [];
  for (let count = 0; count < REAL_TENANTS; count++) tenants.push(await provision(admin));
  // A database that somebody is connected to cannot be copied.
  await gateway.end();
  await insertTenants(url, tenantCount - REAL_TENANTS);
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

/** Tenants as a platform has them after some years: of several countries, some without limits, few suspended. */
async function insertTenants(databaseUrl: string, count: number): Promise<void> {
  await sql(
    databaseUrl,
    `with made as (
       insert into organizations
         (id, name, slug, status, country, limits, mongo_database, schema_version, created_at, updated_at)
       select uuidv7(make_interval(secs => n - ${count})), 'Perusahaan ' || n || ' & Söhne', 'company-' || n,
              (case when n % 50 = 0 then 'suspended' else 'active' end)::tenant_status,
              (array['ID', 'SG', 'MY', 'DE', null])[1 + n % 5],
              case when n % 4 = 0 then '{}'::jsonb
                   else jsonb_build_object('maxAgents', 5 + n % 200, 'maxContacts', 1000 * (1 + n % 90)) end,
              'crm_company-' || n, 4, now() - make_interval(secs => ${count} - n), now() - make_interval(secs => n % 5000)
         from generate_series(1, ${count}) n
       returning id, updated_at)
     insert into usage (id, org_id, agent_count, contact_count, messages_this_month, active_integrations, active_channels,
                        usage_month, timezone, updated_at)
     select uuidv7(), id, (random() * 200)::int, (random() * 90000)::int, (random() * 900000)::int, (random() * 4)::int,
            '{whatsapp,email}', date_trunc('month', now()), 'UTC', updated_at from made`,
  );
}
