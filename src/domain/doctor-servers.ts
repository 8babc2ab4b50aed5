/** Looks at every server that tenants' databases are on. One that is away hides only what is on it. */
import pg from 'pg';
import { describeFailure } from '../components/describe-failure.ts';
import { serverAddresses } from '../db/database-servers.ts';
import type { ServerAddress } from '../db/server-address.ts';
import { HOME_SERVER_ID } from '../entities/control/database-server.ts';
import type { DoctorOptions, Finding } from './doctor.ts';
import { type Facts, factsOfHome, factsOfServer } from './doctor-facts.ts';
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
  judge(found, { url: databaseUrl, facts: factsOfHome(facts) }, ownServer);
  const moves = checkMoves(facts);
  found.findings.push(...moves.findings);
  found.notes.push(...moves.notes);
  for (const address of addresses) {
    if (address.id !== HOME_SERVER_ID) await lookAtOther(found, address, control, facts);
  }
  const known = new Set(addresses.map(({ id }) => id));
  const hidden = facts.tenants.filter(({ serverId }) => !known.has(serverId)).length;
  if (hidden > 0)
    found.notes.push(`${hidden} tenants are on servers whose address only JWT_SECRET opens: not looked at`);
  return found;
}

function judge(found: ServerFindings, server: LookedAt, ownServer: boolean, name?: string): void {
  const said = (text: string) => (name ? `server ${name}: ${text}` : text);
  const { findings, underWay } = checkServer(server.facts);
  const privacy = checkPrivacy(server.facts, ownServer);
  found.servers.push(server);
  for (const finding of [...findings, ...privacy.findings]) {
    found.findings.push({ ...finding, problem: said(finding.problem) });
  }
  found.notes.push(...privacy.notes.map(said));
  found.underWay += underWay;
}

async function lookAtOther(found: ServerFindings, { id, name, url }: ServerAddress, control: pg.Client, facts: Facts) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, options: READ_ONLY });
  client.on('error', () => {});
  try {
    await client.connect();
    if (await isAnother(client, control, id)) {
      found.findings.push({
        kind: 'replaced_server',
        problem: `another PostgreSQL server than was registered as ${name} answers at ${new URL(url).host}`,
        remedy:
          'give the address of the right one: npm run servers -- set; the same address again where it was upgraded by pg_upgrade, or ' +
          'restored as a whole.',
      });
    }
    judge(found, { url, facts: await factsOfServer(client, control, facts, id) }, false, name);
  } catch (error) {
    const hidden = facts.tenants.filter(({ serverId }) => serverId === id).length;
    found.findings.push({
      kind: 'unreachable_server',
      problem: `the database server ${name} cannot be looked at, nor its ${hidden} tenants: ${describeFailure(error)}`,
      remedy: `bring it back (${new URL(url).host}), or give its new address: npm run servers.`,
    });
  } finally {
    await client.end().catch(() => {});
  }
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
