/**
 * Looks at everything that belongs together and finds what does not: an active tenant is exactly one database, one login
 * role, one set of seeds and its people; whatever else bears the installation's name belongs to nobody. Changes nothing.
 */
import pg from 'pg';
import { describeFailure } from '../components/describe-failure.ts';
import { databaseUrlOf } from '../db/control.ts';
import type { Keys } from '../db/keys.ts';
import { findOrphanDirectories } from '../db/orphan-directories.ts';
import { groupName } from '../db/tenant-names.ts';
import { type Facts, readFacts, type TenantFacts } from './doctor-facts.ts';
import { type LookedAt, lookAtServers } from './doctor-servers.ts';
import { type Inside, lookIntoTenant, READ_ONLY } from './doctor-tenant.ts';
import { zoneNotes } from './doctor-zones.ts';

/** One thing that is wrong, and what to do about it. */
export interface Finding {
  kind:
    | 'broken_database'
    | 'closed_database'
    | 'doubled_seeds'
    | 'missing_account'
    | 'missing_archive'
    | 'missing_admin'
    | 'missing_agent'
    | 'missing_database'
    | 'missing_role'
    | 'missing_seeds'
    | 'missing_template'
    | 'open_database'
    | 'orphan_database'
    | 'orphan_directory'
    | 'orphan_role'
    | 'orphan_slot'
    | 'powerful_role'
    | 'replaced_server'
    | 'schema_drift'
    | 'stale_template'
    | 'unfinished_move'
    | 'unfinished_offboarding'
    | 'unfinished_provisioning'
    | 'unfinished_restore'
    | 'unreachable_database'
    | 'unreachable_server'
    | 'useless_database'
    | 'wrong_rights'
    | 'wrong_schema'
    | 'wrong_secret';
  problem: string;
  /** A command or a sentence. */
  remedy: string;
}

export interface Diagnosis {
  findings: Finding[];
  /** What is worth knowing and not wrong. */
  notes: string[];
  counts: { tenants: number; active: number; suspended: number; underWay: number; databases: number; roles: number };
}

export interface DoctorOptions {
  /** Of the control-plane database, as the role that the gateway uses. */
  databaseUrl: string;
  /** Opens the stored passwords of tenants' roles, which are then looked at from inside as the gateway sees them. */
  keys?: Keys;
  /** Whether the whole PostgreSQL server is this installation's, as the embedded one is. */
  ownServer: boolean;
  /** A folder of compiled zone data to compare with. */
  zoneData?: string;
}

const AT_ONCE = 8;

/** @throws when the control database cannot be reached, or is none. */
export async function examine({ databaseUrl, keys, ownServer, zoneData }: DoctorOptions): Promise<Diagnosis> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000, options: READ_ONLY });
  client.on('error', () => {});
  await client.connect();
  try {
    const facts = await readFacts(client);
    const { servers, ...found } = await lookAtServers({ databaseUrl, keys, ownServer }, client, facts);
    const inside = await lookIntoTenants(servers, client, keys);
    return {
      findings: [
        ...found.findings,
        ...inside.findings,
        // Another's server may be full of databases that are being made, and may not let its files be listed.
        ...(ownServer ? (await findOrphanDirectories(client)).map(orphanDirectory) : []),
      ],
      notes: [...(await zoneNotes(client, inside.hours, zoneData)), ...found.notes],
      counts: count(servers, facts.tenants, found.underWay),
    };
  } finally {
    await client.end();
  }
}

const orphanDirectory = (name: string): Finding => ({
  kind: 'orphan_directory',
  problem: `the folder base/${name} of the server belongs to no database: a crash kept it from being made`,
  remedy: 'start a gateway, or wait some seconds for the one that runs: it removes it.',
});

function count(servers: readonly LookedAt[], tenants: readonly TenantFacts[], underWay: number): Diagnosis['counts'] {
  const here = (name: (tenant: TenantFacts) => string | null, kind: 'databases' | 'roles') =>
    servers.reduce((sum, { facts }) => {
      const names = new Set(facts[kind].map((one) => one.name));
      return sum + facts.tenants.filter((tenant) => names.has(name(tenant) ?? '')).length;
    }, 0);
  return {
    tenants: tenants.length,
    active: tenants.filter(({ status }) => status === 'active').length,
    suspended: tenants.filter(({ status }) => status === 'suspended').length,
    underWay,
    databases: here(({ databaseName }) => databaseName, 'databases'),
    roles: here(({ roleName }) => roleName, 'roles'),
  };
}

/** Visits the tenants whose database and role are there; what is missing has been found before. */
async function lookIntoTenants(
  servers: readonly LookedAt[],
  control: pg.Client,
  keys: Keys | undefined,
): Promise<Inside> {
  const { rows } = await control.query<{ orgId: string; id: string; email: string }>(
    'select org_id as "orgId", id, email from identities order by id',
  );
  const accounts = Map.groupBy(rows, ({ orgId }) => orgId);
  const findings: Finding[] = [];
  const hours: Inside['hours'] = [];
  const waiting = servers.flatMap(({ url, facts }) =>
    visitable(facts).map((tenant) => ({ tenant, url, group: groupName(facts.code) })),
  );
  const visit = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const inside = await visitTenant(next, keys, accounts.get(next.tenant.id) ?? []);
      findings.push(...inside.findings);
      if (next.tenant.status === 'active') hours.push(...inside.hours);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visit));
  hours.sort((a, b) => Number(a.tenant > b.tenant) - Number(a.tenant < b.tenant));
  return { findings: wrongSecretOnce(findings), hours };
}

function visitable({ databases, roles, tenants }: Facts): TenantFacts[] {
  const whole = new Set(databases.filter((one) => one.allowsConnections && !one.broken).map(({ name }) => name));
  const known = new Set(roles.map(({ name }) => name));
  return tenants.filter(
    ({ status, offboarding, databaseName, roleName }) =>
      status !== 'provisioning' && !offboarding && whole.has(databaseName ?? '') && known.has(roleName ?? ''),
  );
}

/** With the wrong secret every tenant says the same. */
function wrongSecretOnce(findings: Finding[]): Finding[] {
  const wrong = findings.filter(({ kind }) => kind === 'wrong_secret');
  if (wrong.length < 2) return findings;
  const problem = `the stored passwords of ${wrong.length} tenants' roles cannot be opened`;
  return [{ ...wrong[0]!, problem }, ...findings.filter(({ kind }) => kind !== 'wrong_secret')];
}

async function visitTenant(
  { tenant, url: serverUrl, group }: { tenant: TenantFacts; url: string; group: string },
  keys: Keys | undefined,
  accounts: { id: string; email: string }[],
): Promise<Inside> {
  const only = (finding: Finding): Inside => ({ findings: [finding], hours: [] });
  const url = new URL(databaseUrlOf(serverUrl, tenant.databaseName!));
  if (keys) {
    try {
      url.password = encodeURIComponent(keys.open(tenant.sealedPassword!));
      url.username = tenant.roleName!;
    } catch {
      return only({
        kind: 'wrong_secret',
        problem: `tenant ${tenant.slug}: the stored password of its role cannot be opened`,
        remedy: 'run the gateway, and the doctor, with the JWT_SECRET that was in use when they were stored.',
      });
    }
  }
  try {
    return await lookIntoTenant(tenant, url.href, group, accounts);
  } catch (error) {
    return only({
      kind: 'unreachable_database',
      problem: `tenant ${tenant.slug} (${tenant.databaseName}) cannot be looked into: ${describeFailure(error)}`,
      remedy: `try it by hand: psql -h <host> -U ${keys ? tenant.roleName : '<owner>'} -d ${tenant.databaseName}.`,
    });
  }
}
