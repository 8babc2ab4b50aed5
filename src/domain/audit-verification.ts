/** Walks the chains of the control plane and of the tenants (docs/decisions/0013). Changes nothing. */
import pg from 'pg';
import { describeFailure } from '../components/describe-failure.ts';
import { ConfigError } from '../config.ts';
import { readOnlySession } from '../db/control.ts';
import { SERVER_OF_TENANT, serverAddresses, urlOnServer } from '../db/database-servers.ts';
import type { Keys } from '../db/keys.ts';
import type { ServerAddress } from '../db/server-address.ts';
import { type Chain, controlChain, type Head, tenantChain } from './audit-chain.ts';
import { type Verdict, walkChain } from './chain-walk.ts';

export interface ChainReport {
  /** `control plane`, or `tenant <slug>`. */
  name: string;
  verdict?: Verdict;
  /** Why there is no verdict. */
  failure?: string;
}

export interface VerificationOptions {
  /** Of the control-plane database, as the role that the gateway uses. */
  databaseUrl: string;
  keys: Keys;
  /** The slug of the one tenant whose log is to be looked at; else all logs. */
  tenant?: string;
  /** Of the tenant's chain, else of the control plane's: an end that it is known to have had. */
  head?: Head;
}

interface TenantRow {
  id: string;
  slug: string;
  schemaVersion: number;
  serverId: string | null;
  databaseName: string;
  sealedPassword: string;
  headSeq: string | null;
  headHash: string | null;
}

const TENANTS = `
  select o.id, o.slug, o.schema_version as "schemaVersion", ${SERVER_OF_TENANT} as "serverId", d.database_name as "databaseName",
         d.sealed_password as "sealedPassword", h.seq::text as "headSeq", encode(h.hash, 'hex') as "headHash"
    from organizations o join tenant_databases d on d.org_id = o.id left join activity_heads h on h.org_id = o.id
   -- One that has had a chain has been made, whatever its status says now.
   where (o.status <> 'provisioning' or h.seq is not null) and o.archived_at is null and ($1::text is null or o.slug = $1) order by o.slug`;

/** The tenant migration that brought chains. */
const CHAINED_SINCE = 3;

/** @throws {ConfigError} for an unknown tenant, or a secret that is not the installation's. */
export async function verifyAudit({ databaseUrl, keys, tenant, head }: VerificationOptions): Promise<ChainReport[]> {
  return inSession(databaseUrl, async (control) => {
    // Before any chain is read: one that has grown since then is no shorter.
    const { rows } = await control.query<TenantRow>(TENANTS, [tenant]);
    if (tenant !== undefined && !rows[0])
      throw new ConfigError(`There is no tenant ${tenant}, or it has no database: it is not made yet, or archived.`);
    refuseOtherSecret(rows, keys);
    const given = head ? [head] : [];
    const servers = await serverAddresses(control, databaseUrl, keys);
    if (tenant !== undefined) return [await verifyTenant(servers, keys, rows[0]!, given)];
    const verdict = await inSnapshot(control, controlChain, keys, given);
    if (rows.length === 0 && verdict.broken?.seq === 1) verdict.broken.problem += OR_OTHER_SECRET;
    const reports: ChainReport[] = [{ name: 'control plane', verdict }];
    for (const row of rows) {
      const report = await verifyTenant(servers, keys, row);
      if (!report.failure || (await isThere(control, row))) reports.push(report);
    }
    return reports;
  });
}

const OR_OTHER_SECRET = ' (or JWT_SECRET is not the one of this installation: there is no tenant yet to tell by)';

/** With another secret no link would fit, and each would look altered. */
function refuseOtherSecret(rows: TenantRow[], keys: Keys): void {
  const fits = rows.some(({ sealedPassword }) => {
    try {
      return keys.open(sealedPassword) !== '';
    } catch {
      return false;
    }
  });
  if (rows.length > 0 && !fits) {
    throw new ConfigError(
      'JWT_SECRET (or secrets.json in DATA_DIR) is not the one that this installation was set up with: nothing that it ' +
        'signed can be verified. Use the former one.',
    );
  }
}

async function verifyTenant(
  servers: readonly ServerAddress[],
  keys: Keys,
  row: TenantRow,
  given: Head[] = [],
): Promise<ChainReport> {
  const name = `tenant ${row.slug}`;
  const { headSeq, headHash } = row;
  const known = headSeq && headHash ? [{ seq: Number(headSeq), hash: Buffer.from(headHash, 'hex') }] : [];
  if (row.schemaVersion < CHAINED_SINCE && known.length === 0) {
    return { name, failure: `its database is at schema version ${row.schemaVersion}, which has no chain yet` };
  }
  const url = urlOnServer(servers, row.serverId, row.databaseName);
  const chain = tenantChain(row.id);
  try {
    const verdict = await inSession(url, (client) => inSnapshot(client, chain, keys, [...known, ...given]));
    return { name, verdict };
  } catch (error) {
    return { name, failure: describeFailure(error) };
  }
}

async function isThere(control: pg.Client, { id }: TenantRow): Promise<boolean> {
  return (await control.query('select from organizations where id = $1', [id])).rowCount === 1;
}

async function inSnapshot(client: pg.Client, chain: Chain, keys: Keys, known: Head[]): Promise<Verdict> {
  await client.query('begin isolation level repeatable read read only');
  const verdict = await walkChain(client, chain, keys, known);
  await client.query('commit');
  return verdict;
}

async function inSession<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const options = readOnlySession('audit-verify');
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000, options });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
