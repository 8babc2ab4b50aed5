/** Which tenants an operation can do something to: a move can be undone of one that was moved. */
import { FAR } from './values.ts';

const move = (...states: string[]) =>
  `exists (select from tenant_moves m where m.org_id = o.id and m.state in (${states.map((one) => `'${one}'`)}))`;
/** SQL of tenants `o` about which nothing is under way. */
export const IDLE = `o.status <> 'provisioning'
  and not exists (select from offboarding_runs r where r.org_id = o.id and r.state not in ('succeeded', 'failed'))
  and not exists (select from tenant_moves m where m.org_id = o.id and m.state not in ('finished', 'undone', 'cancelled'))`;
const READY = `exists (select from tenant_exports e where e.org_id = o.id and e.state = 'ready')`;

/** By operations, the first that fits: SQL of tenants `o`. */
const SUBJECTS: [operations: RegExp, where: string][] = [
  [
    /abandon/i,
    `exists (select from tenant_moves m join database_servers s on s.id = m.target_id
              where m.org_id = o.id and s.region = '${FAR}' and m.state in ('copying', 'failed', 'cancelling'))`,
  ],
  [/cancelTenantMove|DELETE .*\/move$/, move('copying', 'failed', 'cancelling')],
  [/undo/i, move('switched', 'undoing')],
  [/finish/i, move('switched', 'finishing')],
  [
    /moveTenant|POST .*\/move$/,
    `${IDLE} and o.archived_at is null and o.schema_version = (select max(schema_version) from organizations)`,
  ],
  [/unarchive/i, `${IDLE} and o.archived_at is not null`],
  [/archive/i, `${IDLE} and o.archived_at is null and o.status = 'suspended'`],
  [/cancelPurge|DELETE .*\/purge$/, 'o.purge_at is not null'],
  [/purge/i, `${IDLE} and o.status = 'suspended'`],
  [/(retry|cancel)Provisioning/, `o.status = 'provisioning'`],
  [
    /retryTenantUpgrade|upgrades\/tenants/,
    `(select i.state from upgrade_items i where i.org_id = o.id order by i.run_id desc limit 1) = 'failed'`,
  ],
  [/tenantExport\b|exports\/\{/, READY],
  [/exportTenant|exports$/, `${IDLE} and o.archived_at is null`],
  [/impersonate/i, `o.status = 'active'`],
];

/** Which of the kinds of tenants it is; below zero, any. */
export const subjectOf = (operation: string): number =>
  SUBJECTS.findIndex(([operations]) => operations.test(operation));

/** The ids of tenants, oldest first, by kind. */
export const SUBJECT_IDS = SUBJECTS.map(
  ([, where], kind) =>
    `select ${kind} as kind, coalesce(array_agg(o.id order by o.id), '{}') as ids from organizations o where ${where}`,
).join(' union all ');
