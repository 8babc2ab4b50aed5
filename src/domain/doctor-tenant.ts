/** Looks into one tenant's own database: its tables, its seeds, its people. */
import pg from 'pg';
import { differences, readCatalogue } from '../db/catalogue.ts';
import { readOnlySession } from '../db/control.ts';
import { catalogueOf } from '../db/migrations/tenant/catalogues.ts';
import { SERVED_FROM_VERSION, TENANT_SCHEMA_VERSION } from '../db/migrations/tenant/index.ts';
import { wrongRights } from '../db/tenant-rights.ts';
import { changedMigrations } from '../db/tenant-schema.ts';
import { databaseError } from '../errors.ts';
import type { Finding } from './doctor.ts';
import type { TenantFacts } from './doctor-facts.ts';
import { SYSTEM_ROLES } from './permissions.ts';
import { newestVersions } from './schedules.ts';
import { TenantHours, type VersionRow } from './tenant-hours.ts';
import type { Dependent } from './zone-data/impact.ts';

interface Account {
  id: string;
  email: string;
}

interface Contents {
  migrations: number;
  roles: string[];
  timezone: string | null;
  /** Weekdays whose hours of the whole tenant begin twice at the same time. */
  doubledDays: number[];
  /** Those who were not deleted. */
  agents: { id: string; email: string }[];
  admins: number;
}

const CONTENTS = `
  select (select count(*)::int from mikro_orm_migrations) as migrations,
         (select coalesce(json_agg(name), '[]') from roles where is_system) as roles,
         (select value from settings where key = 'timezone') as timezone,
         (select coalesce(json_agg(distinct day_of_week), '[]') from
           (select day_of_week from working_hours group by division_id, day_of_week, start_time having count(*) > 1) d
         ) as "doubledDays",
         (select coalesce(json_agg(json_build_object('id', id, 'email', email)), '[]') from agents
           where deleted_at is null) as agents,
         (select count(*)::int from agents a join roles r on r.id = a.role_id
           where r.name = 'admin' and a.deleted_at is null) as admins`;

const INSUFFICIENT_PRIVILEGE = '42501';

const BRING_UP_TO_DATE =
  'start a gateway of this version, or wait for the one that runs; where it cannot, npm run tenants -- upgrade --status says why.';

/** Of every session of the doctor's. */
export const READ_ONLY = readOnlySession('doctor');

export interface Inside {
  findings: Finding[];
  /** The hours of the organization and of its divisions, where they can be read. */
  hours: Dependent[];
}

/** @param url of the tenant's database. @param group the role that tenants' roles belong to. @param accounts who may sign in to the tenant. */
export async function lookIntoTenant(
  tenant: TenantFacts,
  url: string,
  group: string,
  accounts: Account[],
): Promise<Inside> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, options: READ_ONLY });
  client.on('error', () => {});
  await client.connect();
  try {
    const rights = await findWrongRights(tenant, client, group);
    const contents = await readContents(client).catch((error: unknown) => {
      if (rights.length > 0 && databaseError(error)?.code === INSUFFICIENT_PRIVILEGE) return undefined;
      throw error;
    });
    if (!contents) return { findings: rights, hours: [] };
    const findings = [...judge(tenant, contents, accounts), ...rights, ...(await findDrift(tenant, contents, client))];
    // It may lack the table.
    if (contents.migrations < TENANT_SCHEMA_VERSION) return { findings, hours: [] };
    const kept = (await client.query<VersionRow>(newestVersions.text)).rows;
    if (kept.some(({ divisionId }) => divisionId === null)) {
      return { findings, hours: hoursOf(tenant.slug, new TenantHours(kept)) };
    }
    const problem = `tenant ${tenant.slug} (${tenant.databaseName}) has no hours in its history`;
    const remedy = 'select record_schedule(null); in its database.';
    return { findings: [...findings, { kind: 'missing_seeds', problem, remedy }], hours: [] };
  } finally {
    await client.end();
  }
}

const readContents = async (client: pg.Client) => (await client.query<Contents>(CONTENTS)).rows[0]!;

function hoursOf(tenant: string, hours: TenantHours): Dependent[] {
  return [undefined, ...hours.divisionIds].map((id) => {
    const { clock, division } = hours.scope(id);
    return { tenant, division: division?.name, schedule: clock.schedule };
  });
}

/** So many differences are named; a schema that is another altogether has hundreds. */
const MOST_NAMED = 5;

function firstOf(differences: readonly string[]): string {
  const more = differences.length - MOST_NAMED;
  return differences.slice(0, MOST_NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** What is not as the migrations make it was changed by hand, or by what is no gateway. */
async function findDrift(
  { slug, databaseName }: TenantFacts,
  { migrations }: Contents,
  client: pg.Client,
): Promise<Finding[]> {
  const expected = catalogueOf(migrations);
  const drifted = expected ? differences(await readCatalogue(client), expected) : [];
  const found = [...(await changedMigrations(client)), ...drifted];
  if (found.length === 0) return [];
  return [
    {
      kind: 'schema_drift',
      problem: `tenant ${slug} (${databaseName}) is not what schema version ${migrations} says: ${firstOf(found)}`,
      remedy: 'undo by hand what was changed by hand: the next upgrade may fail on it.',
    },
  ];
}

/** Of one that is further behind some are still to come: its upgrade gives them. */
async function findWrongRights(
  { slug, databaseName, schemaVersion }: TenantFacts,
  client: pg.Client,
  group: string,
): Promise<Finding[]> {
  if (schemaVersion < SERVED_FROM_VERSION) return [];
  const wrong = await wrongRights(client, group, catalogueOf(Math.min(schemaVersion, TENANT_SCHEMA_VERSION))!.keys());
  if (wrong.length === 0) return [];
  return [
    {
      kind: 'wrong_rights',
      problem: `in the database of tenant ${slug} (${databaseName}) ${firstOf(wrong.map(({ problem }) => problem))}`,
      remedy: `there: ${wrong.map(({ remedy }) => remedy).join(' ')}`,
    },
  ];
}

function judge(tenant: TenantFacts, contents: Contents, accounts: Account[]): Finding[] {
  const { id, slug, schemaVersion, databaseName } = tenant;
  const { migrations } = contents;
  const findings: Finding[] = [];
  const find = (kind: Finding['kind'], problem: string, remedy: string) =>
    findings.push({ kind, problem: `tenant ${slug} (${databaseName}) ${problem}`, remedy });

  if (migrations !== schemaVersion) {
    find(
      'wrong_schema',
      `is recorded with schema_version ${schemaVersion}, its database has ${migrations}`,
      // Where a migration was cut off before it was recorded, its rights may be missing as well.
      schemaVersion < TENANT_SCHEMA_VERSION
        ? BRING_UP_TO_DATE
        : `update organizations set schema_version = ${migrations} where id = '${id}';`,
    );
  }
  if (migrations < TENANT_SCHEMA_VERSION) {
    find('wrong_schema', `has ${migrations} of ${TENANT_SCHEMA_VERSION} migrations`, BRING_UP_TO_DATE);
  } else if (migrations > TENANT_SCHEMA_VERSION) {
    find('wrong_schema', `has ${migrations} migrations, more than this version knows`, 'run the newer gateway again.');
  }
  const missing = Object.keys(SYSTEM_ROLES).filter((name) => !contents.roles.includes(name));
  if (missing.length > 0) {
    find(
      'missing_seeds',
      `lacks the system roles ${missing.join(', ')}`,
      'insert them as another tenant of this version has them.',
    );
  }
  if (contents.timezone === null) {
    find(
      'missing_seeds',
      'has no timezone',
      "insert into settings (key, value, updated_at) values ('timezone', 'UTC', now());",
    );
  }
  if (contents.doubledDays.length > 0) {
    const days = contents.doubledDays.join(', ');
    find('doubled_seeds', `has its working hours twice on days ${days}`, 'delete the younger entry of each pair.');
  }
  for (const account of without(accounts, contents.agents)) {
    find(
      'missing_agent',
      `has the account ${account.email} without its agent`,
      `delete from identities where id = '${account.id}';`,
    );
  }
  for (const agent of without(contents.agents, accounts)) {
    find(
      'missing_account',
      `has the agent ${agent.email}, who has no account to sign in with`,
      `make the agent again (POST /api/agents) or delete it (DELETE /api/agents/${agent.id}).`,
    );
  }
  if (accounts.length > 0 && contents.admins === 0) {
    find('missing_admin', 'has accounts but no admin among them', 'give one of its agents the role admin.');
  }
  return findings;
}

function without<T extends { id: string }>(these: readonly T[], others: readonly { id: string }[]): T[] {
  const known = new Set(others.map(({ id }) => id));
  return these.filter(({ id }) => !known.has(id));
}
