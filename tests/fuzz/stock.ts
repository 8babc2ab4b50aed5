/** People to try things on, put into the databases: making them takes a password hash each, and the run would do little else. */
import { v7 as uuidv7 } from 'uuid';
import type { Databases } from './fingerprint.ts';

const STOCK = 6;

interface There {
  /** Whom no request is about; their passwords are known. */
  spared: string[];
  superAdmins: string[];
  agents: { tenantId: string; ids: string[] }[];
}

/** Agents and super admins, as many as there were before. */
export async function restock(databases: Databases, { spared, superAdmins, agents }: There): Promise<void> {
  const short = ({ length }: string[]) => Array.from({ length: Math.max(STOCK - length, 0) }, () => uuidv7());
  const put = (table: string, columns: string, id: string, like: string[]) =>
    databases.rows(
      `insert into ${table} (id, email, password_hash, created_at, ${columns})
       select $1, $2, password_hash, now(), ${columns} from ${table} where id = any ($3) order by id desc limit 1`,
      [id, `stock-${id}@fuzz.test`, like],
    );
  for (const id of short(superAdmins)) await put('super_admins', 'name', id, spared);
  for (const { tenantId, ids } of agents) {
    for (const id of short(ids)) {
      await put('identities', 'org_id', id, await sparedIn(databases, tenantId, spared));
      await databases.rowsIn(
        await databases.placeOf(tenantId),
        `insert into agents (id, email, full_name, role_id, created_at, updated_at)
         select $1, $2, 'Stock', id, now(), now() from roles where name = 'agent'`,
        [id, `stock-${id}@fuzz.test`],
      );
    }
  }
}

async function sparedIn(databases: Databases, tenantId: string, spared: string[]): Promise<string[]> {
  const text = 'select id from identities where org_id = $1 and id = any ($2)';
  return (await databases.rows<{ id: string }>(text, [tenantId, spared])).map(({ id }) => id);
}
