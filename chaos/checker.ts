/**
 * Looks at everything after a trial: what the doctor and the audit's verification say, whether each tenant that was said yes
 * to is there, whether a tenant's role can connect anywhere else, and whether a secret stands where it can be read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Keys } from '../src/db/keys.ts';
import { findOrphanDirectories } from '../src/db/orphan-directories.ts';
import { dist } from '../tests/support/built.ts';
import { serverUrl } from '../tests/support/database.ts';
import { strayBuckets } from './buckets.ts';
import { doctorOf, verificationOf } from './built-parts.ts';
import { type Installation, SECRET } from './installation.ts';
import { leaks } from './leaks.ts';

/** A tenant that was said yes to. */
export interface Acknowledged {
  id: string;
  slug: string;
  /** Whether it was asked for with an admin. */
  hasAdmin: boolean;
}

interface Row {
  id: string;
  slug: string;
  status: string;
  state: string | null;
  error: string | null;
  hasJob: boolean;
  accounts: number;
  activations: number;
  databaseName: string | null;
  sealedPassword: string | null;
}

const TENANTS = `
  select o.id, o.slug, o.status, run.state, d.database_name as "databaseName", d.sealed_password as "sealedPassword",
         (select error from provisioning_steps s where s.org_id = o.id and error is not null limit 1) as error,
         exists (select from pgboss.job where name = 'tenant.provision' and singleton_key = o.id::text
                   and state < 'completed') as "hasJob",
         (select count(*)::int from identities i where i.org_id = o.id and i.email = 'admin@' || o.slug || '.test') as accounts,
         (select count(*)::int from audit_entries a where a.org_id = o.id and a.action = 'tenant.activate') as activations
    from organizations o
    left join provisioning_runs run on run.org_id = o.id
    left join tenant_databases d on d.org_id = o.id and o.archived_at is null order by o.id`;

const TIDY_MS = 30_000;
/** How many tenants' roles try each other's doors; all are judged by what the catalogs say of their rights. */
const TRIED = 4;

/** @returns a sentence for each thing that is not as it has to be. */
export async function check(installation: Installation): Promise<string[]> {
  const { databaseUrl, acknowledged } = installation;
  const keys = new Keys(SECRET);
  // Not the build that is under trial: a mutant must not judge itself.
  const [{ examine }, { verifyAudit }] = await Promise.all([doctorOf(dist), verificationOf(dist)]);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(TENANTS);
    const { findings } = await examine({ databaseUrl, keys, ownServer: false });
    const reports = await verifyAudit({ databaseUrl, keys });
    return [
      // Who has failed visibly is judged below.
      ...findings.filter((one) => !isVisibleFailure(one)).map(({ kind, problem }) => `${kind}: ${problem}`),
      ...reports.flatMap(({ name, verdict, failure }) => {
        if (failure) return [`the audit log of ${name} cannot be read: ${failure}`];
        return verdict!.broken ? [`the audit log of ${name}: ${verdict!.broken.problem}`] : [];
      }),
      ...acknowledged.flatMap((tenant) =>
        judge(
          tenant,
          rows.find(({ id }) => id === tenant.id),
        ),
      ),
      ...(await orphanDirectories(client)).map((name) => `folder base/${name} belongs to no database`),
      ...(await trespassers(rows, databaseUrl, keys)),
      ...(installation.objects ? await strayBuckets(installation.objects.url, rows) : []),
      ...(await leaks(client, installation, passwordsOf(rows, keys))),
    ];
  } finally {
    await client.end();
  }
}

const isVisibleFailure = ({ kind, problem }: { kind: string; problem: string }) =>
  kind === 'unfinished_provisioning' && problem.includes(' failed, attempt ');

function judge({ slug, hasAdmin }: Acknowledged, row: Row | undefined): string[] {
  if (!row) return [`tenant ${slug} was said yes to and is gone`];
  if (row.status === 'provisioning') {
    const visiblyFailed = row.state === 'retrying' && row.error && row.hasJob;
    return visiblyFailed ? [] : [`tenant ${slug} is neither active nor visibly failed with a retry: ${row.state}`];
  }
  return [
    ...(row.accounts === Number(hasAdmin) ? [] : [`tenant ${slug} has ${row.accounts} accounts of its first admin`]),
    ...(row.activations === 1 ? [] : [`tenant ${slug} was activated ${row.activations} times`]),
  ];
}

/** Of the roles of those made last. @returns each with what it is. */
const passwordsOf = (rows: Row[], keys: Keys): [string, string][] =>
  rows
    .slice(-TRIED)
    .flatMap(({ slug, sealedPassword }) =>
      sealedPassword ? [[`the password of the role of ${slug}`, keys.open(sealedPassword)]] : [],
    );

/** The embedded server's are removed within seconds of the crash that left them. */
async function orphanDirectories(client: pg.Client): Promise<string[]> {
  for (const deadline = Date.now() + TIDY_MS; ; await sleep(500)) {
    const found = await findOrphanDirectories(client);
    if (found.length === 0 || Date.now() > deadline) return found;
  }
}

/** Tenants' roles that get into a database which is not theirs. */
async function trespassers(rows: Row[], databaseUrl: string, keys: Keys): Promise<string[]> {
  const active = rows.filter(({ status, databaseName }) => status !== 'provisioning' && databaseName);
  const tried = active.slice(-TRIED);
  const found = await Promise.all(
    tried.map(async ({ slug, databaseName, sealedPassword }, index) => {
      const neighbour = tried[(index + 1) % tried.length]!.databaseName!;
      const others = [
        'postgres',
        new URL(databaseUrl).pathname.slice(1),
        ...(neighbour === databaseName ? [] : [neighbour]),
      ];
      const entered = await Promise.all(
        others.map(async (database) => {
          const url = new URL(serverUrl(database, databaseUrl));
          url.username = databaseName!;
          url.password = encodeURIComponent(keys.open(sealedPassword!));
          return (await letsIn(url.href)) ? [`the role of tenant ${slug} can connect to ${database}`] : [];
        }),
      );
      return entered.flat();
    }),
  );
  return found.flat();
}

/** @throws when it is refused for another reason than its rights. */
async function letsIn(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    // Insufficient privilege.
    if ((error as { code?: string }).code !== '42501') throw error;
    return false;
  } finally {
    await client.end();
  }
}
