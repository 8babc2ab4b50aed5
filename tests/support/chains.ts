/** The chains of the audit logs: verified as an operator does, waited for, and damaged. */
import { Keys } from '../../src/db/keys.ts';
import { type ChainReport, verifyAudit } from '../../src/domain/audit-verification.ts';
import type { Verdict } from '../../src/domain/chain-walk.ts';
import { eventually } from './actors.ts';
import { JWT_SECRET } from './app.ts';
import { sql } from './database.ts';

export const CONTROL = { log: 'audit_entries', links: 'audit_chain', unlinked: 'audit_unlinked' };
export const TENANT = { log: 'activity_log', links: 'activity_chain', unlinked: 'activity_unlinked' };
export type Tables = typeof CONTROL;

type Options = Partial<Parameters<typeof verifyAudit>[0]>;

/** What is found of every chain, by its name. */
export async function verdicts(databaseUrl: string, options: Options = {}): Promise<Record<string, Verdict>> {
  const reports: ChainReport[] = await verifyAudit({ databaseUrl, keys: new Keys(JWT_SECRET), ...options });
  return Object.fromEntries(
    reports.map(({ name, verdict, failure }) => {
      if (!verdict) throw new Error(`${name}: ${failure}`);
      return [name, verdict];
    }),
  );
}

/** Waits until every entry is linked, and the end of each tenant's chain known. */
export async function allLinked(databaseUrl: string): Promise<Record<string, Verdict>> {
  return eventually(
    async () => {
      const found = await verdicts(databaseUrl);
      const heads = await sql<{ name: string; seq: string }>(
        databaseUrl,
        `select 'tenant ' || o.slug as name, seq from activity_heads join organizations o on o.id = org_id`,
      );
      const known = new Map(heads.map(({ name, seq }) => [name, Number(seq)]));
      const ends = Object.entries(found).filter(([name]) => name !== 'control plane');
      return { found, told: ends.every(([name, { head }]) => known.get(name) === head?.seq) };
    },
    ({ found, told }) => told && Object.values(found).every(({ unlinked }) => unlinked === 0),
  ).then(({ found }) => found);
}

/** Does something to a chain past the gateway, looks, and brings its tables back to what they held. */
export async function damaged<T>(url: string, tables: Tables, damage: string, look: () => Promise<T>): Promise<T> {
  const names = Object.values(tables);
  await sql(url, names.map((name) => `create table kept_${name} as table ${name};`).join('\n'));
  try {
    await sql(url, damage);
    return await look();
  } finally {
    await sql(
      url,
      `set session_replication_role = replica;
       ${names.map((name) => `delete from ${name}; insert into ${name} table kept_${name}; drop table kept_${name};`).join('\n')}`,
    );
  }
}
