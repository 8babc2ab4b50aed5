/** Looks at every server that tenants' databases are on. One that is away hides only what is on it. */
import pg from 'pg';
import { describeFailure } from '../components/describe-failure.ts';
import { serverAddresses } from '../db/database-servers.ts';
import type { ServerAddress } from '../db/server-address.ts';
import { HOME_SERVER_ID } from '../entities/control/database-server.ts';
import type { DoctorOptions, Finding } from './doctor.ts';
import { type Facts, factsOfHome, factsOfServer, type TenantFacts } from './doctor-facts.ts';
import { checkMoves } from './doctor-moves.ts';
import { checkPrivacy, checkServer } from './doctor-server.ts';
import { READ_ONLY } from './doctor-tenant.ts';

/** A server that could be looked at. */
export interface LookedAt {
  /** Of one of its databases. */
  url: string;
  facts: Facts;
}

export interface ServerFindings {
  servers: LookedAt[];
  findings: Finding[];
  notes: string[];
  /** Provisioning runs that go on as they should. */
  underWay: number;
}

/** @param control the session that the facts were read in. */
export async function lookAtServers(
  { databaseUrl, keys, ownServer }: Pick<DoctorOptions, 'databaseUrl' | 'keys' | 'ownServer'>,
  control: pg.Client,
  facts: Facts,
): Promise<ServerFindings> {
  const addresses = await serverAddresses(control, databaseUrl, keys);
  const found: ServerFindings = { servers: [], findings: [], notes: [], underWay: 0 };
  const home: Answer = { findings: [], looked: { url: databaseUrl, facts: factsOfHome(facts) } };
  const others: Answer[] = [];
  for (const address of addresses) {
    if (address.id !== HOME_SERVER_ID) others.push(await lookAtOther(address, control, facts));
  }
  const unseen = unseenOf(facts, [home, ...others]);
  judge(found, home, unseen, ownServer);
  const moves = checkMoves(facts);
  found.findings.push(...moves.findings);
  found.notes.push(...moves.notes);
  for (const other of others) judge(found, other, unseen, false);
  const known = new Set(addresses.map(({ id }) => id));
  const hidden = facts.tenants.filter(({ serverId }) => !known.has(serverId)).length;
  if (hidden > 0)
    found.notes.push(`${hidden} tenants are on servers whose address only JWT_SECRET opens: not looked at`);
  return found;
}

/** What came of looking at a server. */
interface Answer {
  /** Absent for the home server. */
  name?: string;
  /** Of the server as a whole. */
  findings: Finding[];
  /** Absent where it could not be. */
  looked?: LookedAt;
  /** Whether another one than was registered answers. */
  isReplaced?: boolean;
}

/** Tenants whose database is not seen where it is to be, by its name: what bears that elsewhere may be all that there is of it. */
function unseenOf({ tenants }: Facts, answers: readonly Answer[]): Map<string, TenantFacts> {
  const seen = new Set(
    answers.flatMap(({ looked, isReplaced }) => {
      if (!looked || isReplaced) return [];
      const names = new Set(looked.facts.databases.map(({ name }) => name));
      return looked.facts.tenants.filter(({ databaseName }) => names.has(databaseName ?? '')).map(({ id }) => id);
    }),
  );
  return new Map(
    tenants
      .filter(({ id, isArchived, databaseName }) => databaseName && !isArchived && !seen.has(id))
      .map((tenant) => [tenant.databaseName!, tenant]),
  );
}

function judge(
  found: ServerFindings,
  { name, findings: ofServer, looked }: Answer,
  unseen: Map<string, TenantFacts>,
  ownServer: boolean,
): void {
  found.findings.push(...ofServer);
  if (!looked) return;
  const said = (text: string) => (name ? `server ${name}: ${text}` : text);
  const { findings, underWay } = checkServer(looked.facts, unseen);
  const privacy = checkPrivacy(looked.facts, ownServer);
  found.servers.push(looked);
  for (const finding of [...findings, ...privacy.findings]) {
    found.findings.push({ ...finding, problem: said(finding.problem) });
  }
  found.notes.push(...privacy.notes.map(said));
  found.underWay += underWay;
}

async function lookAtOther({ id, name, url }: ServerAddress, control: pg.Client, facts: Facts): Promise<Answer> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, options: READ_ONLY });
  client.on('error', () => {});
  const findings: Finding[] = [];
  try {
    await client.connect();
    const isReplaced = await isAnother(client, control, id);
    if (isReplaced) {
      const left = await leftOn(control, id);
      findings.push({
        kind: 'replaced_server',
        problem: `another PostgreSQL server than was registered as ${name} answers at ${new URL(url).host}${left && `; ${left}`}`,
        remedy:
          'give the address of the right one: npm run servers -- set; the same address again where it was upgraded by pg_upgrade, or ' +
          'restored as a whole.',
      });
    }
    return { name, findings, isReplaced, looked: { url, facts: await factsOfServer(client, control, facts, id) } };
  } catch (error) {
    const hidden = facts.tenants.filter(({ serverId }) => serverId === id).length;
    const left = await leftOn(control, id);
    findings.push({
      kind: 'unreachable_server',
      problem: `the database server ${name} cannot be looked at, nor its ${hidden} tenants${left && `, nor ${left}`}: ${describeFailure(error)}`,
      remedy: `bring it back (${new URL(url).host}), or give its new address: npm run servers.`,
    });
    return { name, findings };
  } finally {
    await client.end().catch(() => {});
  }
}

/** Of tenants that were removed without it, in words. */
async function leftOn(control: pg.Client, id: string): Promise<string> {
  const { rows } = await control.query<{ slug: string; name: string }>(
    'select slug, name from left_databases where server_id = $1 order by slug',
    [id],
  );
  if (rows.length === 0) return '';
  const each = rows.map(({ slug, name }) => `${name} (${slug})`);
  return `what it has of removed tenants, which is dropped when it is back: ${each.join(', ')}`;
}

/** Told by what PostgreSQL knows itself by. */
async function isAnother(client: pg.Client, control: pg.Client, id: string): Promise<boolean> {
  const { rows: known } = await control.query<{ system: string | null }>(
    'select system_identifier as system from database_servers where id = $1',
    [id],
  );
  const { rows: found } = await client.query<{ system: string }>(
    'select system_identifier::text as system from pg_control_system()',
  );
  return !!known[0]?.system && known[0].system !== found[0]!.system;
}
