/** What there is in the databases, and what placeholders in drafts stand for. */
import { v7 as uuidv7 } from 'uuid';
import type { Databases } from './fingerprint.ts';
import type { Draft } from './model.ts';
import type { Platform } from './platform.ts';
import { SUBJECT_IDS, subjectOf } from './subjects.ts';

/** No more than so many are made, whatever is drawn. */
export const MOST_TENANTS = 24;
const MOST_IDS = 40;
const PLACEHOLDER = /@(own|other|nobody|any|fresh):(\w+):(\d+)@/g;
/** Of the tenant that a request is about as a whole. */
const ABOUT = /@(own|other|nobody):anyTenant:(\d+)@/;

interface House {
  id: string;
  slug: string;
}

interface KnownTenant extends House {
  /** Of its database; absent before it has one. */
  serverId: string | null;
  /** Those that can be fetched. */
  exports: string[];
}

const ready = (which: string) =>
  `array(select e.id::text from tenant_exports e where e.org_id = o.id and e.state = 'ready' and ${which} order by 1 desc)`;
const TENANTS = `
  select o.id, o.slug, d.server_id as "serverId", ${ready('true')} as exports, ${ready('e.is_own')} as "ownExports"
    from organizations o left join tenant_databases d on d.org_id = o.id order by o.id`;

/** SQL of what is the platform's, by noun. */
const PLATFORM = {
  superAdmin: 'select id from super_admins',
  superEmail: "select email as id from super_admins where email like '%@fuzz.test'",
  impersonation: 'select id from sessions where impersonator_id is not null and ended_at is null',
  upgrade: 'select id from upgrade_runs',
  unfinishedUpgrade: 'select id from upgrade_runs where finished_at is null',
};
/** The same of what is in a tenant's database. */
const TENANTS_OWN = {
  agent: 'select id from agents where deleted_at is null',
  division: 'select id from divisions',
  role: 'select id from roles where not is_system',
  exception: 'select id from working_hours_exceptions',
};
const newest = (text: string) => `${text} order by 1 desc limit ${MOST_IDS}`;

type Ids = Record<string, string[]>;

export class Known {
  readonly #databases: Databases;
  readonly #platform: Platform;
  readonly #spared: ReadonlySet<string>;
  readonly #keepers: ReadonlySet<string>;
  #houses: readonly House[] = [];
  #tenants: (KnownTenant & { ownExports: string[] })[] = [];
  /** By kind (subjects.ts). */
  #subjects: string[][] = [];
  /** By noun; those of a house by its tenant. */
  #ids: Ids = {};
  readonly #houseIds = new Map<string, Ids>();

  /** @param spared ids that are not the run's to use. @param keepers those whose addresses are not. */
  constructor(databases: Databases, platform: Platform, spared: ReadonlySet<string>, keepers: ReadonlySet<string>) {
    this.#databases = databases;
    this.#platform = platform;
    this.#spared = spared;
    this.#keepers = keepers;
  }

  get tenantCount(): number {
    return this.#tenants.length;
  }

  /** @param house a tenant whose users ask; else the platform's. */
  idsOf(noun: string, house?: string): string[] {
    return (house ? this.#houseIds.get(house) : this.#ids)?.[noun] ?? [];
  }

  /** @param houses tenants whose users ask. */
  async read(houses: readonly House[]): Promise<void> {
    this.#houses = houses;
    this.#tenants = await this.#databases.rows(TENANTS);
    const subjects = await this.#databases.rows<{ kind: number; ids: string[] }>(SUBJECT_IDS);
    this.#subjects = subjects.sort((a, b) => a.kind - b.kind).map(({ ids }) => ids);
    this.#ids = await each(PLATFORM, (text) => this.#select(text));
    await Promise.all(houses.map(async ({ id }) => this.#houseIds.set(id, await this.#idsIn(id))));
  }

  async #idsIn(id: string): Promise<Ids> {
    const place = await this.#databases.placeOf(id);
    const inside = await each(TENANTS_OWN, async (text) =>
      this.#used(await this.#databases.rowsIn<{ id: string }>(place, newest(text))),
    );
    return {
      ...inside,
      apiKey: await this.#select('select id from api_keys where org_id = $1', [id]),
      session: await this.#select('select id from sessions where org_id = $1', [id]),
      export: this.#tenants.find((tenant) => tenant.id === id)!.ownExports,
      email: await this.#select('select email as id from identities where org_id = $1 and id <> all ($2)', [
        id,
        [...this.#keepers],
      ]),
    };
  }

  async #select(text: string, values: unknown[] = []): Promise<string[]> {
    return this.#used(await this.#databases.rows<{ id: string }>(newest(text), values));
  }

  #used(rows: { id: string }[]): string[] {
    return rows.map(({ id }) => id).filter((id) => !this.#spared.has(id));
  }

  /** @param all of the draft that can say what it is about. @returns what fills the placeholders of any part of it. */
  filling(draft: Draft, all: string): (text: string) => string {
    const about = this.#about(draft, all);
    return (text) => text.replace(PLACEHOLDER, (_, whose, noun, n) => this.#find(draft, about, whose, noun, Number(n)));
  }

  /** Mostly a tenant that the operation can do something to. */
  #about({ operation }: Draft, all: string): KnownTenant | undefined {
    const [, whose, digits] = ABOUT.exec(all) ?? [];
    if (!whose || whose === 'nobody') return undefined;
    const n = Number(digits);
    const ids = this.#subjects[subjectOf(operation)];
    // Those whose users ask seldom: whoever is shut out has to be replaced. They may be looked at.
    const isSpared = !/^(GET|query)/.test(operation) && (ids || n < 40);
    const isHouse = ({ id }: House) => isSpared && this.#houses.some((house) => house.id === id);
    const others = this.#tenants.filter((tenant) => !isHouse(tenant));
    const fit = others.filter(({ id }) => ids?.includes(id));
    const those = fit.length === 0 || n % 8 === 7 ? others.filter(({ id }) => id !== this.#platform.stubborn) : fit;
    return those[n % Math.max(those.length, 1)];
  }

  #find(draft: Draft, about: KnownTenant | undefined, whose: string, noun: string, n: number): string {
    if (whose === 'nobody') return `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    const all = this.#tenants;
    if (whose === 'fresh') {
      // Of a tenant that is named by its id, it is its slug once more.
      return about?.slug ?? (all.length < MOST_TENANTS ? `fuzz-${uuidv7()}` : all[n % all.length]!.slug);
    }
    if (noun === 'slug' && whose === 'any') return all[n % all.length]!.slug;
    const house = this.#houses[(draft.tenant + (whose === 'other' ? 1 : 0)) % this.#houses.length]!;
    if (noun === 'tenant') return house.id;
    if (noun === 'slug') return house.slug;
    const ids =
      this.#platformIds(draft.operation, noun, about) ?? this.idsOf(noun === 'actor' ? 'agent' : noun, house.id);
    return ids[n % Math.max(ids.length, 1)] ?? this.#find(draft, about, 'nobody', noun, n);
  }

  /** Of what is no tenant's, or of the tenant that the request is about. */
  #platformIds(operation: string, noun: string, about?: KnownTenant): readonly string[] | undefined {
    const { targets, servers, spareServers, urls } = this.#platform;
    if (noun === 'anyTenant') return about && [about.id];
    if (noun === 'export') return about?.exports;
    if (noun === 'server') return targets.filter((id) => id !== about?.serverId);
    if (noun === 'serverUrl') return urls;
    if (noun === 'databaseServer') return /remove|DELETE/.test(operation) ? spareServers : servers;
    if (noun === 'email' && /super-?admin/i.test(operation)) return this.#ids.superEmail;
    const { unfinishedUpgrade = [] } = this.#ids;
    if (noun === 'upgrade' && /pause|resume|cancel/.test(operation) && unfinishedUpgrade.length > 0) {
      return unfinishedUpgrade;
    }
    return this.#ids[noun];
  }
}

/** @returns what each comes to, by its name. */
async function each(texts: Record<string, string>, read: (text: string) => Promise<string[]>): Promise<Ids> {
  const found = Object.entries(texts).map(async ([name, text]) => [name, await read(text)] as const);
  return Object.fromEntries(await Promise.all(found));
}
