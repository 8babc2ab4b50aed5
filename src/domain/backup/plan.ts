/** What a restore would do, told before it does it; and what forbids it. */
import type pg from 'pg';
import { describeFailure, failuresBeneath } from '../../components/describe-failure.ts';
import { ConfigError } from '../../config.ts';
import { SERVER_OF_TENANT, serverAddresses, serverIn } from '../../db/database-servers.ts';
import type { ServerAddress } from '../../db/server-address.ts';
import { UNFINISHED_MOVE } from '../../entities/control/tenant-move.ts';
import type { Chosen } from './choose.ts';
import { databaseFacts, keepAside } from './drafts.ts';
import type { OpenArchive } from './read-archive.ts';
import type { RestoreControlOptions } from './restore-control.ts';
import { RESTORED } from './settle-switch.ts';
import { openReader } from './snapshot.ts';
import { installationOf } from './tables.ts';
import { megabytes, plural } from './tell.ts';
import { unfinishedRun, whyUnfit } from './unfinished-run.ts';

interface PresentTenant {
  status: string;
  name: string;
  accounts: number;
  serverId: string | null;
  databaseName: string | null;
}

const PRESENT = `
  select o.status, o.name, (select count(*)::int from identities where org_id = o.id) as accounts,
         ${SERVER_OF_TENANT} as "serverId", d.database_name as "databaseName"
    from organizations o left join tenant_databases d on d.org_id = o.id where o.id = $1`;

type PlanOptions = Pick<RestoreControlOptions, 'databaseUrl' | 'keys' | 'keepServers' | 'serverName'>;

/** @returns a line for each thing that would be done. @throws {ConfigError} for what cannot be done. */
export async function planRestore(
  { databaseUrl, keys, keepServers, serverName }: PlanOptions,
  { control, tenants }: Chosen,
): Promise<string[]> {
  const client = await openReader(databaseUrl);
  try {
    const code = await installationOf(client);
    if (control) return [planControl(control, code, keepServers), ...tenants.map(planFresh)];
    const servers = await serverAddresses(client, databaseUrl, keys);
    if (serverName) await refuseUnfitServer(servers, serverName);
    const lines: string[] = [];
    for (const archive of tenants) lines.push(await planTenant(client, servers, archive, serverName));
    return lines;
  } finally {
    await client.end();
  }
}

function planControl(
  { header: { installation, takenAt } }: OpenArchive,
  code: string | undefined,
  keepServers: boolean | undefined,
): string {
  if (code === undefined) {
    const where = keepServers
      ? 'tenants stay on the database servers that the backup names, AND ARE RESTORED THERE'
      : 'all tenants come to this server, whichever they were on';
    return `the control plane of ${takenAt} is restored into an empty database; ${where}`;
  }
  if (code !== installation) {
    throw new ConfigError(
      `This is another installation (${code}; the backup is of ${installation}): restore it into an empty database or DATA_DIR. ` +
        'Nothing has been changed.',
    );
  }
  return `the control plane is REPLACED by that of ${takenAt}: tenants made since then have to be restored as well, everybody is signed out`;
}

const planFresh = ({ header: { tenant, takenAt } }: OpenArchive) =>
  `tenant ${tenant!.slug} is restored as of ${takenAt}`;

/** @returns whether the tenant is there. @throws {ConfigError} for one that cannot be restored. */
export async function refuseUnfit(client: pg.ClientBase, { id, slug }: { id: string; slug: string }): Promise<boolean> {
  const { rows } = await client.query<{ id: string; status: string }>(
    'select id, status from organizations where id = $1 or slug = $2',
    [id, slug],
  );
  const present = rows.find((row) => row.id === id);
  if (!present && rows[0]) {
    throw new ConfigError(
      `Tenant ${slug} cannot be restored: another tenant has the slug by now. Nothing has been changed.`,
    );
  }
  if (present?.status === 'provisioning') {
    throw new ConfigError(
      `Tenant ${slug} is being made: wait until that has ended, or call it off. Nothing has been changed.`,
    );
  }
  if (present && (await isMoved(client, id))) {
    throw new ConfigError(
      `Tenant ${slug} is being moved to another server: finish that move, undo it or cancel it first. Nothing has been changed.`,
    );
  }
  return !!present;
}

async function isMoved(client: pg.ClientBase, id: string): Promise<boolean> {
  const { rowCount } = await client.query(`select from tenant_moves where org_id = $1 and ${UNFINISHED_MOVE}`, [id]);
  return rowCount === 1;
}

async function planTenant(
  client: pg.ClientBase,
  servers: readonly ServerAddress[],
  { header: { tenant, takenAt } }: OpenArchive,
  wished?: string,
): Promise<string> {
  const { id, slug } = tenant!;
  if (!(await refuseUnfit(client, tenant!)))
    return `tenant ${slug} (${id}), which is not there any more, is restored as of ${takenAt}`;
  const { rows } = await client.query<PresentTenant>(PRESENT, [id]);
  const { status, name, accounts, serverId, databaseName } = rows[0]!;
  const own = serverIn(servers, serverId);
  const size = await toldOf(slug, own, databaseName, wished);
  const other = servers.find((server) => server.name === wished && server.id !== own.id);
  if (other && databaseName) await refuseOverCopy(slug, other, databaseName);
  const run = await unfinishedRun(client, id);
  if (run && !leaves(own, wished)) throw whyUnfit(slug, run);
  const ended = run ? `; its ${run}, which is under way, and a countdown are called off` : '';
  return (
    `tenant ${slug} (${name}, ${status}, ${plural(accounts, 'account')}): ${size} is REPLACED by that of ${takenAt}; what was ` +
    'written since is lost, its people are signed out, accounts deleted since come back suspended, API keys made since are dead; no other tenant ' +
    `is touched${ended}`
  );
}

/** @param wished the server on which the tenant is to be. */
const leaves = (own: ServerAddress, wished?: string): wished is string => wished !== undefined && wished !== own.name;

/** Asks again what the plan has asked: meanwhile the tenant's server may be back. @throws {ConfigError} where it need not be left. */
export async function refuseWhileOwnAnswers(
  client: pg.ClientBase,
  { databaseUrl, keys, serverName }: PlanOptions,
  { id, slug }: { id: string; slug: string },
): Promise<void> {
  const { rows } = await client.query<PresentTenant>(PRESENT, [id]);
  if (!rows[0]) return;
  const own = serverIn(await serverAddresses(client, databaseUrl, keys), rows[0].serverId);
  if (leaves(own, serverName)) await toldOf(slug, own, rows[0].databaseName, serverName);
}

/**
 * What is said of the database that is replaced.
 *
 * @param wished the server on which the tenant is to be. @throws {ConfigError} where its own cannot be reached, or need not be left.
 */
async function toldOf(slug: string, own: ServerAddress, database: string | null, wished?: string): Promise<string> {
  const { bytes, problem, isThere } = database ? await look(own, database) : {};
  if (leaves(own, wished)) {
    if (problem && isThere) {
      throw new ConfigError(
        `Tenant ${slug} is on server ${own.name}, which is there, but cannot be worked with: ${problem}. See to that first: only where ` +
          'it does not answer at all, a tenant is restored on another one. Nothing has been changed.',
      );
    }
    if (problem) return `its database on server ${own.name}, which cannot be reached (${problem}),`;
    throw new ConfigError(
      `Tenant ${slug} is on server ${own.name}, which answers: restore it there, and move it then (npm run tenants -- move). Nothing ` +
        'has been changed.',
    );
  }
  if (problem) {
    throw new ConfigError(
      `Tenant ${slug} is on server ${own.name}, which cannot be reached: ${problem}. It is restored there, so bring that server back ` +
        'first; where it is gone for good, restore it on another one (--server). Nothing has been changed.',
    );
  }
  return bytes ? `its database (${megabytes(bytes)})` : 'its database, which is lost,';
}

/** @throws {ConfigError} where the other server has a database of the tenant that no restore has made: it may be newer than the backup. */
export async function refuseOverCopy(slug: string, other: ServerAddress, database: string): Promise<void> {
  const { bytes, comment } = await look(other, database);
  if (bytes === undefined || comment?.startsWith(RESTORED)) return;
  throw new ConfigError(
    `Server ${other.name} has a database of tenant ${slug} already, as an abandoned move keeps it: it may be newer than the backup. Keep ` +
      `it by another name, and try again; it is yours to look into, or to drop: ${keepAside(database)} Nothing has been changed.`,
  );
}

/** What else fails than these is said by a server that is there, or comes of how it is reached. */
const NO_ANSWER =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$|^timeout expired|^Connection terminated/;

const isNoAnswer = (error: unknown) =>
  failuresBeneath(error).some((failure) => {
    const { code, message } = Object(failure);
    return NO_ANSWER.test(code ?? message ?? '');
  });

interface Seen {
  bytes?: number;
  comment?: string | null;
  /** Why the server could not be asked. */
  problem?: string;
  /** Although it could not be asked. */
  isThere?: boolean;
}

/** @returns no bytes of a database that is not there, or not whole. */
async function look({ url }: ServerAddress, database: string): Promise<Seen> {
  try {
    const client = await openReader(url);
    try {
      const facts = await databaseFacts(client, database);
      return facts?.bytes ? { bytes: Number(facts.bytes), comment: facts.comment } : {};
    } finally {
      await client.end();
    }
  } catch (error) {
    return { problem: describeFailure(error), isThere: !isNoAnswer(error) };
  }
}

/** @throws {ConfigError} for a server that is not registered, or cannot be reached. */
async function refuseUnfitServer(servers: readonly ServerAddress[], wished: string): Promise<void> {
  const server = servers.find(({ name }) => name === wished);
  if (!server) throw new ConfigError(`There is no database server ${wished}. Nothing has been changed.`);
  const { problem } = await look(server, '');
  if (problem) throw new ConfigError(`Server ${wished} cannot be reached: ${problem}. Nothing has been changed.`);
}
