/**
 * On another server than the control database's, databases change names in a transaction of their own, right before the control
 * database's commit. The restored one bears a mark, and lets nobody in, until that is known to have happened: whoever comes after a failure
 * or a crash between the two sees what to do, and nothing that was written is taken back. The restore holds, or the former database is put
 * back, by the leader (settle-restores.ts) or by the next restore, whichever comes first.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ConfigError } from '../../config.ts';
import { dropDatabase } from '../../db/drop-database.ts';
import { LOCKS } from '../../db/locks.ts';
import { draftName, formerName } from '../../db/tenant-names.ts';
import { databaseFacts, markAsOf, openWriter, renameFrom } from './drafts.ts';

const quote = pg.escapeIdentifier;

/** The comment on a restored database, with the version of tokens that the control plane has once the restore holds. */
export const RESTORED = 'OmniStream: restored, with tokens of version ';

/** In the transaction that gives the restored database its name. */
export const markRestored = (renamer: pg.ClientBase, name: string, version: number) =>
  renamer.query(
    `comment on database ${quote(name)} is ${pg.escapeLiteral(`${RESTORED}${version}`)};
     alter database ${quote(name)} allow_connections false`,
  );

const unmark = (client: pg.ClientBase, name: string) => client.query(`comment on database ${quote(name)} is null`);

/** What is left to do once the restore holds. @param client outside of a transaction. */
export async function finishSwitch(client: pg.ClientBase, name: string): Promise<void> {
  await client.query(`alter database ${quote(name)} allow_connections true`);
  await dropDatabase(client, formerName(name));
  await unmark(client, name);
}

export interface Sessions {
  /** To the control database. */
  control: pg.ClientBase;
  /** To the tenant's server, outside of a transaction. */
  renamer: pg.ClientBase;
  /** Another session there. */
  helper: pg.ClientBase;
}

/**
 * Puts the former database back where the control plane does not know of the restore; what was restored is a draft again.
 *
 * @param name of the tenant's database, which is locked.
 * @returns whether the restore holds; 'none' where there is no mark of one.
 */
export async function settleSwitch(
  { control, renamer, helper }: Sessions,
  orgId: string,
  name: string,
): Promise<'none' | 'holds' | 'put back'> {
  const { rows } = await renamer.query<{ version: string | null }>(
    `select substring(shobj_description(oid, 'pg_database') from $2) as version from pg_database where datname = $1`,
    [name, `^${RESTORED}(\\d+)$`],
  );
  const version = rows[0]?.version;
  if (!version) return 'none';
  if (await isKnown(control, orgId, version)) return 'holds';
  await renamer.query("begin; set local lock_timeout = '20s'");
  try {
    await renameFrom(renamer, helper, name, draftName(name));
    await markAsOf(renamer, draftName(name), name);
    if (await databaseFacts(renamer, formerName(name))) {
      await renameFrom(renamer, helper, formerName(name), name);
      await unmark(renamer, name);
    }
    await renamer.query('commit');
  } catch (error) {
    await renamer.query('rollback').catch(() => {});
    throw error;
  }
  return 'put back';
}

/**
 * Whether the control plane has tokens of that version, or newer ones: versions rise only. The restore's transaction may still be
 * committing, with nobody left to be told of it: it is waited for by the first lock that it takes.
 */
async function isKnown(control: pg.ClientBase, orgId: string, version: string): Promise<boolean> {
  await control.query("begin; set local lock_timeout = '20s'");
  try {
    await control.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCKS.tenantAccounts, orgId]);
    const { rowCount } = await control.query('select from organizations where id = $1 and token_version >= $2', [
      orgId,
      version,
    ]);
    return rowCount === 1;
  } finally {
    await control.query('rollback').catch(() => {});
  }
}

/** How long the control database is waited for, and how often it is asked. Milliseconds. */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 1000;

/**
 * Commits in the control database what the renamer has committed already. Where that fails, it is found out whether it happened.
 *
 * @throws what it failed of, when everything is as it was before. {ConfigError} where that could not be found out.
 */
export async function commitOrPutBack(
  { control, renamer, helper }: Sessions & { control: pg.Client },
  { databaseUrl, orgId, name }: { databaseUrl: string; orgId: string; name: string },
): Promise<void> {
  try {
    await control.query('commit');
  } catch (failure) {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const asking = await openWriter(databaseUrl);
        try {
          if ((await settleSwitch({ control: asking, renamer, helper }, orgId, name)) === 'holds') return;
          break;
        } finally {
          await asking.end();
        }
      } catch (error) {
        if (performance.now() > deadline) throw new ConfigError(unknown(name), { cause: error });
        await sleep(AGAIN_MS);
      }
    }
    throw failure;
  }
}

const unknown = (name: string) =>
  `Whether the restore has come to its end could not be found out: the control database, or the server of ${name}, does not answer. ` +
  'Repeat it when they do: it finds that out first.';
