/** Judges what the catalogs say: what is missing, what belongs to nobody, what is open, what has not ended. */
import {
  draftName,
  formerName,
  groupName,
  preparingName,
  templateName,
  templatePrefix,
  tenantName,
  warmPrefix,
} from '../db/tenant-names.ts';
import { RESTORED } from './backup/settle-switch.ts';
import type { Finding } from './doctor.ts';
import type { DatabaseFacts, Facts, TenantFacts } from './doctor-facts.ts';
import { checkSlots, checkWrites, keptCopy, readsForMove, unsubscribing } from './doctor-moves.ts';

/** What everybody may use on a PostgreSQL server as it comes. */
const MAINTENANCE = new Set(['postgres', 'template1']);

const drop = (name: string) => `drop database "${name}" with (force);`;
/** What a restore makes, and what it drops at its end. */
const ofRestore = (name: string) => [draftName, formerName].some((beside) => name.endsWith(beside('')));
const label = ({ slug, id }: TenantFacts) => `tenant ${slug} (${id})`;

/**
 * @param unseen tenants whose database could not be seen where it is to be, by its name.
 * @returns also how many provisioning runs go on as they should.
 */
export function checkServer(
  facts: Facts,
  unseen: ReadonlyMap<string, TenantFacts>,
): { findings: Finding[]; underWay: number } {
  const runs = facts.tenants.filter(({ state }) => state !== null && state !== 'succeeded');
  const stuck = runs.flatMap((tenant) => checkRun(tenant, facts.workers));
  const halves = facts.tenants.filter((tenant) => isHalfRestored(tenant, facts));
  const whole = facts.tenants.filter((tenant) => hasDatabase(tenant) && !halves.includes(tenant));
  return {
    findings: [
      ...checkOrphans(facts, unseen),
      ...checkSlots(facts),
      ...checkWrites(facts),
      ...checkTemplates(facts),
      ...checkWarm(facts),
      ...whole.flatMap((tenant) => checkWhole(tenant, facts)),
      ...halves.map((tenant) => halfRestored(tenant, facts.workers)),
      ...facts.tenants.flatMap((tenant) => checkOffboarding(tenant, facts)),
      ...stuck,
    ],
    underWay: runs.length - stuck.length,
  };
}

/** Of one that is being archived, restored or removed nobody knows at which moment they look. */
const hasDatabase = ({ status, isArchived, offboarding }: TenantFacts) =>
  status !== 'provisioning' && !isArchived && !offboarding;

/** The process ended between the two commits of a restore on another server (backup/settle-switch.ts). */
const isHalfRestored = ({ databaseName, tokenVersion }: TenantFacts, { databases }: Facts): boolean => {
  const comment = databases.find(({ name }) => name === databaseName)?.comment;
  return comment?.startsWith(RESTORED) === true && Number(comment.slice(RESTORED.length)) > tokenVersion;
};

const halfRestored = (tenant: TenantFacts, workers: number): Finding => ({
  kind: 'unfinished_restore',
  problem:
    `the restore of ${label(tenant)} was cut off: ${tenant.databaseName} is the restored database, its accounts are those of before, and ` +
    'nobody is let in',
  remedy:
    workers > 0
      ? 'unless a restore is at work, the gateway puts the former database back within seconds.'
      : 'start a gateway, or repeat the restore: either puts the former database back.',
});

function checkOrphans(facts: Facts, unseen: ReadonlyMap<string, TenantFacts>): Finding[] {
  const { code, databases, roles, tenants } = facts;
  // The former database of a restore that was cut off is the tenant's.
  const kept = tenants
    .filter((tenant) => isHalfRestored(tenant, facts))
    .map(({ databaseName }) => formerName(databaseName!));
  const expected = new Set([...facts.expected, ...kept]);
  const isNobodys = ({ name }: { name: string }) =>
    name.startsWith(`${groupName(code)}_`) &&
    !name.startsWith(templatePrefix(code)) &&
    !name.startsWith(warmPrefix(code)) &&
    !expected.has(name);
  const isKept = ({ name, broken }: { name: string; broken?: boolean }) => !broken && unseen.has(name);
  const orphans = databases.filter(isNobodys);
  return [
    ...orphans.filter(isKept).map(({ name }) => keptCopy(name, unseen.get(name)!)),
    ...orphans
      .filter((database) => !isKept(database))
      .map(
        ({ name, broken, follows }): Finding => ({
          kind: 'orphan_database',
          problem: `database ${name} belongs to no tenant${broken ? ' and is what a cut-off DROP left' : ''}`,
          remedy: `${ofRestore(name) ? 'unless npm run restore is at work: ' : ''}${follows ? unsubscribing(name) : ''}${drop(name)}`,
        }),
      ),
    ...roles
      .filter((role) => isNobodys(role) && !isKept(role))
      .map(
        ({ name }): Finding => ({
          kind: 'orphan_role',
          problem: `role ${name} belongs to no tenant`,
          remedy: `drop role "${name}"; (after its database, if there is one)`,
        }),
      ),
  ];
}

function checkTemplates({ code, databases }: Facts): Finding[] {
  const current = templateName(code);
  const templates = databases.filter(({ name }) => name.startsWith(templatePrefix(code)));
  const findings = templates
    .filter(({ name }) => name !== current)
    .map(
      ({ name }): Finding => ({
        kind: 'stale_template',
        problem: `template ${name} is of another version of the gateway`,
        remedy: `once no gateway of that version runs: ${drop(name)}`,
      }),
    );
  const mine = templates.find(({ name }) => name === current);
  if (!mine || mine.broken || mine.allowsConnections) {
    findings.push({
      kind: 'missing_template',
      problem: `template ${current} is ${mine ? 'half made' : 'missing'}`,
      remedy: mine?.broken ? `${drop(current)} then restart a gateway.` : 'restart a gateway: it makes it.',
    });
  }
  return findings;
}

/** Those that are prepared for tenants to come. What a running gateway removes by itself is not wrong. */
function checkWarm({ code, databases, roles, workers }: Facts): Finding[] {
  const names = new Set(databases.map(({ name }) => name));
  const find = (name: string, problem: string): Finding => ({
    kind: 'useless_database',
    problem: `database ${name} ${problem}`,
    remedy: `start a gateway: it removes it; or by hand: ${drop(name)}`,
  });
  return [
    ...databases
      .filter(({ name }) => name.startsWith(warmPrefix(code)))
      .flatMap(({ name, broken }) => {
        if (broken) return [find(name, 'is what a cut-off DROP left of one that was prepared for a tenant')];
        const isDraft = name.startsWith(preparingName(code, ''));
        return isDraft && workers === 0 ? [find(name, 'was being prepared for a tenant when its gateway ended')] : [];
      }),
    ...roles
      .filter(({ name }) => name.startsWith(warmPrefix(code)) && !names.has(name) && workers === 0)
      .map(
        ({ name }): Finding => ({
          kind: 'orphan_role',
          problem: `role ${name} was prepared for a tenant and has lost its database`,
          remedy: `start a gateway: it removes it; or by hand: drop role "${name}";`,
        }),
      ),
  ];
}

/** A tenant that is in use has one database and one role of its own, by the names that are written down. */
function checkWhole(tenant: TenantFacts, { code, databases, roles }: Facts): Finding[] {
  const { databaseName, roleName, id } = tenant;
  const expected = tenantName(code, id);
  const lost = 'restore it from a backup; until then suspend the tenant.';
  const missing = (kind: Finding['kind'], what: string, remedy: string): Finding[] => [
    { kind, problem: `${label(tenant)} ${what}`, remedy },
  ];
  if (databaseName !== expected || roleName !== expected) {
    return missing('missing_role', 'has no entry in tenant_databases by its name', lost);
  }
  const database = databases.find(({ name }) => name === databaseName);
  const role = roles.find(({ name }) => name === roleName);
  const findings: Finding[] = [];
  if (!database) findings.push(...missing('missing_database', `has no database ${databaseName}`, lost));
  else if (database.broken) {
    findings.push(
      ...missing('broken_database', `has lost its database ${databaseName}: a DROP of it was cut off`, lost),
    );
  } else if (!database.allowsConnections) {
    const remedy = `alter database "${databaseName}" allow_connections true;`;
    findings.push(...missing('missing_database', `cannot be used: ${databaseName} allows no connections`, remedy));
  }
  if (!role) findings.push(...missing('missing_role', `has no role ${roleName}`, `${lost} The role comes with it.`));
  else if (!role.maySignIn) {
    findings.push(...missing('missing_role', `has a role without login`, `alter role "${roleName}" login;`));
  } else if (!role.memberOf.includes(groupName(code))) {
    const remedy = `grant "${groupName(code)}" to "${roleName}";`;
    findings.push(...missing('missing_role', 'has a role without the rights of tenants', remedy));
  }
  return findings;
}

/** An archived tenant is an archive and nothing else; and what is done with a whole tenant comes to an end. */
function checkOffboarding(tenant: TenantFacts, { databases, workers }: Facts): Finding[] {
  const { databaseName, isArchived, hasArchive, offboarding, offboardingError } = tenant;
  if (offboarding) {
    const find = (why: string, remedy: string): Finding[] => [
      { kind: 'unfinished_offboarding', problem: `${label(tenant)}: ${offboarding} ${why}`, remedy },
    ];
    if (offboardingError) return find(`failed: ${offboardingError}`, 'remove the cause: it is tried again by itself.');
    return workers > 0 ? [] : find('has not ended and no gateway is running', 'start one: it goes on by itself.');
  }
  if (!isArchived) return [];
  const findings: Finding[] = [];
  if (!hasArchive) {
    findings.push({
      kind: 'missing_archive',
      problem: `${label(tenant)} is archived and its archive is not known`,
      remedy: 'restore it from a backup.',
    });
  }
  if (databases.some(({ name }) => name === databaseName)) {
    findings.push({
      kind: 'orphan_database',
      problem: `${label(tenant)} is archived and still has its database ${databaseName}`,
      remedy: `compare it with the archive, then ${drop(databaseName!)}`,
    });
  }
  return findings;
}

function checkRun(tenant: TenantFacts, workers: number): Finding[] {
  const { state, id, failedStep, error, attempt, hasJob } = tenant;
  const find = (why: string, remedy: string): Finding[] => [
    { kind: 'unfinished_provisioning', problem: `${label(tenant)} is ${state}: ${why}`, remedy },
  ];
  const mutation = `mutation { retryProvisioning(tenantId: "${id}") { status } }`;
  if (!hasJob) return find('no job will come to it', `${mutation} makes one.`);
  if (error) {
    const again = workers > 0 ? 'it is tried again by itself; at once by' : 'start a worker, or then at once by';
    return find(`${failedStep} failed, attempt ${attempt}: ${error}`, `remove the cause: ${again} ${mutation}`);
  }
  if (workers > 0) return [];
  return find('no worker is running', 'start one (npm start, or npm start -- --role worker): it goes on by itself.');
}

/** Whether every database is closed to whom it does not belong. */
export function checkPrivacy(facts: Facts, ownServer: boolean): { findings: Finding[]; notes: string[] } {
  const { code, control, databases } = facts;
  const group = groupName(code);
  const isTenants = (role: string) => role === 'PUBLIC' || role === group || role.startsWith(`${group}_`);
  // What a restore has replaced is the tenant's still.
  const isOwn = (name: string, role: string) => name === role || name === formerName(role);
  const tooOpen = ({ name, letsIn }: DatabaseFacts) =>
    letsIn.filter((role) => !isOwn(name, role) && isTenants(role) && !readsForMove(role, facts));
  const isOurs = (name: string) => name === control || name.startsWith(`${group}_`);
  const revoke = (name: string, role: string) =>
    `revoke connect on database "${name}" from ${role === 'PUBLIC' ? role : `"${role}"`};`;
  const open = databases.flatMap((database) => tooOpen(database).map((role) => ({ name: database.name, role })));
  // One that is being made is closed before it is opened.
  const canBeEntered = new Set(databases.filter(({ allowsConnections }) => allowsConnections).map(({ name }) => name));
  const mustBeClosed = ({ name }: { name: string }) =>
    canBeEntered.has(name) && (isOurs(name) || (ownServer && MAINTENANCE.has(name)));
  return {
    findings: [
      ...open.filter(mustBeClosed).map(
        ({ name, role }): Finding => ({
          kind: 'open_database',
          problem: `database ${name} lets ${role === 'PUBLIC' ? 'everyone (PUBLIC)' : `the role ${role}`} connect`,
          remedy: revoke(name, role),
        }),
      ),
      ...checkRoles(facts),
    ],
    notes: open
      .filter(({ name }) => !isOurs(name) && !ownServer && MAINTENANCE.has(name))
      .map(
        ({ name, role }) =>
          `this server's database ${name} lets tenants' roles connect; ${revoke(name, role)} ends that`,
      ),
  };
}

/** A role that may more than its own database holds would make the rest meaningless. */
function checkRoles(facts: Facts): Finding[] {
  const group = groupName(facts.code);
  const own = facts.roles.filter(({ name }) => !readsForMove(name, facts));
  return own.flatMap(({ name, powerful, memberOf }): Finding[] => [
    ...memberOf
      .filter((other) => other !== group)
      .map(
        (other): Finding => ({
          kind: 'powerful_role',
          problem: `role ${name} has the rights of ${other}`,
          remedy: `revoke "${other}" from "${name}";`,
        }),
      ),
    ...(powerful
      ? [
          {
            kind: 'powerful_role' as const,
            problem: `role ${name} may change more of the server than its own tables`,
            remedy: `alter role "${name}" nosuperuser nocreatedb nocreaterole noreplication nobypassrls;`,
          },
        ]
      : []),
  ]);
}
