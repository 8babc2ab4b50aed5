/**
 * An upgrade of many tenants, some of them poisoned, whose every process is killed again and again, while a gateway of the version
 * before serves requests. Nothing may be done twice, nobody may be left out, no request may fail.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, eventually, superAdmin } from '../tests/support/actors.ts';
import { serverUrl, sql } from '../tests/support/database.ts';
import type { GatewayProcess } from '../tests/support/gateway-process.ts';
import { makeNextVersion } from '../tests/support/next-version.ts';
import type { Ground } from './ground.ts';
import type { Installation } from './installation.ts';
import { type Crew, Load } from './load.ts';

/** What the next version adds; every time that it is executed leaves a row. It takes long enough to be killed in the middle. */
const STATEMENTS = `
  create table upgrade_proof (at timestamptz not null);
  insert into upgrade_proof values (clock_timestamp());
  alter table divisions add column nickname text null;
  alter table contacts add column nickname text null;
  select pg_sleep(0.05);
  alter table contacts add constraint contacts_name_short check (length(name) < 500);
  create index contacts_nickname_idx on contacts (nickname);`;

/** Ways to keep the migration from being applied, and what ends each. */
const POISONS = [
  { poison: 'create table upgrade_proof (mine int)', cure: 'drop table upgrade_proof' },
  {
    poison: `insert into contacts (id, name) values (gen_random_uuid(), repeat('x', 600))`,
    cure: 'delete from contacts where length(name) = 600',
  },
] as const;

export interface ProofOptions {
  tenants: number;
  poisoned: number;
  kills: number;
  /** From 0 up to 1, the same for the same name. */
  chance(...name: (string | number)[]): number;
  /** Told how far it is. */
  tell(line: string): void;
  stopping: AbortSignal;
}

export interface Proof {
  /** A sentence for each thing that is not as it has to be. */
  losses: string[];
  /** What was seen, for whoever reads the verdict. */
  facts: string[];
}

interface Tenant {
  id: string;
  slug: string;
  database: string;
}

const UPGRADES = '/api/super-admin/upgrades';

export async function proveUpgrade(ground: Ground, options: ProofOptions): Promise<Proof> {
  const { tell, tenants: count } = options;
  const next = makeNextVersion(STATEMENTS);
  const installation = await ground.install();
  try {
    const serving = await installation.start();
    const admin = await installation.admin(serving);
    tell(`making ${count} tenants`);
    const tenants = await makeTenants(installation, admin, count, tell);
    const poisoned = await poison(installation, tenants, options);
    const agent = await installation.agentOf(serving, tenants[0]!.slug);
    // Many: twenty changes a second of one would wait for each other, and everybody else for their connections.
    const changed = tenants.slice(0, 20).map(({ id }) => id);
    const crew: Crew = {
      installation,
      urls: () => [serving.url],
      admin,
      agent,
      tenants: changed,
      makesNone: true,
    };
    const trial = new Trial(installation, next.build, admin, tenants, poisoned, options);
    const load = await Load.during(crew, () => trial.run());
    const requests = load.refused.map(({ what, status, failure }) => `${what} was answered ${status ?? failure}`);
    const proof = await trial.judge();
    await serving.end('SIGTERM');
    return {
      losses: [...proof.losses, ...requests, ...(await load.lost()), ...(await trial.mend())],
      facts: [
        ...proof.facts,
        `${load.sent.length} requests were sent meanwhile to the version before, ${requests.length} failed`,
      ],
    };
  } finally {
    await ground.remove(installation);
    next.remove();
  }
}

const BATCH = 20;

async function makeTenants(
  installation: Installation,
  admin: Actor,
  count: number,
  tell: ProofOptions['tell'],
): Promise<Tenant[]> {
  for (let made = 0; made < count; made += BATCH) {
    await installation.makeTenants(admin, Math.min(BATCH, count - made), 300_000);
    if (made % 100 === 0) tell(`${Math.min(count, made + BATCH)} of ${count} tenants are made`);
  }
  return sql<Tenant & { id: string }>(
    installation.databaseUrl,
    `select o.id, o.slug, d.database_name as database from organizations o join tenant_databases d on d.org_id = o.id order by o.id`,
  );
}

/** Not the first one, whose users ask for things all the time. */
async function poison(
  installation: Installation,
  tenants: Tenant[],
  { poisoned, chance }: ProofOptions,
): Promise<Tenant[]> {
  const drawn = tenants
    .slice(1)
    .map((tenant, index) => ({ tenant, key: chance('poison', index) }))
    .sort((a, b) => a.key - b.key)
    .slice(0, poisoned)
    .map(({ tenant }) => tenant);
  for (const [index, { database }] of drawn.entries()) {
    await sql(serverUrl(database, installation.databaseUrl), POISONS[index % POISONS.length]!.poison);
  }
  return drawn;
}

class Trial {
  readonly #installation: Installation;
  readonly #build: string;
  readonly #tenants: Tenant[];
  readonly #poisoned: Tenant[];
  readonly #options: ProofOptions;
  /** As it was when somebody last asked. */
  #admin: Actor;
  #runId = '';
  #kills = 0;
  #worker?: GatewayProcess;

  constructor(
    installation: Installation,
    build: string,
    admin: Actor,
    tenants: Tenant[],
    poisoned: Tenant[],
    options: ProofOptions,
  ) {
    this.#installation = installation;
    this.#build = build;
    this.#admin = admin;
    this.#tenants = tenants;
    this.#poisoned = poisoned;
    this.#options = options;
  }

  /** Starts the upgrade at the first process of the next version, and kills whatever works on it. */
  async run(): Promise<void> {
    const { kills, poisoned, tell, stopping } = this.#options;
    await this.#start();
    const wish = { canary: 2, pause_after_canary: false, wave_size: 50, concurrency: 4, failure_budget: poisoned };
    const { status, body } = await this.#admin.rest('POST', UPGRADES, wish);
    if (status !== 201) throw new Error(`the upgrade was refused: ${JSON.stringify(body)}`);
    this.#runId = body.id;
    while (this.#kills < kills && !stopping.aborted) {
      const before = await this.#counts();
      if (before.finished) break;
      await this.#killAfter(before.ended);
      tell(`killed ${this.#kills} times, ${before.ended} of ${this.#tenants.length} tenants are through`);
      await this.#start();
      await this.#resume();
    }
    await eventually(
      () => this.#counts(),
      ({ finished, ended }) => {
        tell(`killed ${this.#kills} times, ${ended} of ${this.#tenants.length} tenants are through`);
        return finished;
      },
      300_000,
    );
  }

  async #start(): Promise<void> {
    this.#worker = await this.#installation.startBuild(this.#build, { UPGRADE_TENANTS: 'manual' });
    this.#admin = await superAdmin(this.#worker);
  }

  /** Where a poisoned tenant is in the canary it has paused: somebody looked, and goes on. */
  async #resume(): Promise<void> {
    const { body } = await this.#admin.rest('GET', `${UPGRADES}/${this.#runId}?limit=1`);
    if (body.state === 'paused') await this.#admin.rest('POST', `${UPGRADES}/${this.#runId}/resume`);
  }

  /** So that the kills are spread over the whole of it, each comes when some more tenants are through, at a random moment. */
  async #killAfter(ended: number): Promise<void> {
    const { kills, chance } = this.#options;
    const share = (this.#tenants.length - this.#options.poisoned) / (kills + 1);
    const more = Math.max(1, Math.round(share * (0.3 + chance('more', this.#kills))));
    await eventually(
      async () => {
        await this.#resume();
        return this.#counts();
      },
      (now) => now.finished || now.ended >= ended + more,
      120_000,
    );
    await sleep(150 * chance('moment', this.#kills));
    await this.#installation.end(this.#worker!, 'SIGKILL');
    this.#kills++;
  }

  async #counts(): Promise<{ ended: number; finished: boolean }> {
    const [run] = await sql<{ ended: number; finished: boolean }>(
      this.#installation.databaseUrl,
      `select done + failed + skipped as ended, state = 'finished' as finished from upgrade_runs where id = $1`,
      [this.#runId],
    );
    return run!;
  }

  async judge(): Promise<Proof> {
    const { databaseUrl } = this.#installation;
    const { kills, poisoned } = this.#options;
    const losses: string[] = [];
    if (this.#kills < kills) losses.push(`it was over after ${this.#kills} of ${kills} kills`);
    const items = await sql<{
      id: string;
      state: string;
      attempt: number;
      error: string | null;
      entries: number;
      version: number;
    }>(
      databaseUrl,
      `select i.org_id as id, i.state, i.attempt, i.error, o.schema_version as version,
              (select count(*)::int from audit_entries a where a.org_id = i.org_id and a.action = 'tenant.migrate') as entries
         from upgrade_items i join organizations o on o.id = i.org_id where run_id = $1`,
      [this.#runId],
    );
    const byId = new Map(items.map((item) => [item.id, item]));
    const bad = new Set(this.#poisoned.map(({ id }) => id));
    for (const { id, slug, database } of this.#tenants) {
      const item = byId.get(id);
      const applied = await this.#applied(database);
      const wanted = bad.has(id)
        ? { state: 'failed', entries: 0, applied: 0 }
        : { state: 'done', entries: 1, applied: 1 };
      const found = { state: item?.state, entries: item?.entries, applied };
      if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        losses.push(`${slug}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}, ${item?.error ?? ''}`);
      }
      if (bad.has(id) && !item?.error) losses.push(`${slug} was set aside without a reason`);
    }
    const again = items.filter(({ attempt }) => attempt > 1).length;
    return {
      losses,
      facts: [
        `${items.filter(({ state }) => state === 'done').length} tenants at the new version, ${items.filter(({ state }) => state === 'failed').length} of ${poisoned} poisoned set aside`,
        `${this.#kills} kills; ${again} tenants were under way at one and taken up again, none was migrated twice`,
      ],
    };
  }

  /** How often the next version's migration has been committed to a database. */
  async #applied(database: string): Promise<number> {
    const url = serverUrl(database, this.#installation.databaseUrl);
    const [{ listed }] = (await sql<{ listed: number }>(
      url,
      `select count(*)::int as listed from mikro_orm_migrations where name = 'TenantNext'`,
    )) as [{ listed: number }];
    const [marks] = await sql<{ count: number }>(url, 'select count(at)::int as count from upgrade_proof').catch(
      () => [],
    );
    return Math.max(listed, marks?.count ?? 0);
  }

  /** Mends the poisoned ones and has them tried again. @returns what did not go well. */
  async mend(): Promise<string[]> {
    for (const [index, { database }] of this.#poisoned.entries()) {
      await sql(serverUrl(database, this.#installation.databaseUrl), POISONS[index % POISONS.length]!.cure);
    }
    for (const { id } of this.#poisoned) await this.#admin.rest('POST', `${UPGRADES}/tenants/${id}/retry`);
    await eventually(
      () => this.#counts(),
      ({ finished }) => finished,
      60_000,
    );
    const behind = await sql<{ slug: string; why: string | null }>(
      this.#installation.databaseUrl,
      `select slug, (select error from upgrade_items i where i.org_id = o.id) as why
         from organizations o where schema_version < (select max(schema_version) from organizations)`,
    );
    return behind.map(({ slug, why }) => `${slug} is not at the new version in the end: ${why}`);
  }
}
