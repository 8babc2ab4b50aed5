/** The tenants, people and things that requests are about, and what placeholders in drafts stand for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { Actor, type Answer, provision, superAdmin, type Tenant } from '../support/actors.ts';
import { belongingsOf, hired, made } from '../support/belongings.ts';
import { newAddress, sendJson } from '../support/http.ts';
import { CAST_TENANTS } from './actors.ts';
import type { Databases } from './fingerprint.ts';
import { encoded } from './hostilities.ts';
import { ACTORS, type ActorName, type Draft, PASSWORD_MARK, type Target, type Wire } from './model.ts';

export const KNOWN_PASSWORD = `${PASSWORD_MARK}-known`;
/** No more than so many are made, whatever is drawn. */
const MOST_TENANTS = 24;
const MOST_IDS = 40;
/** A tenant that was being archived is given back within. */
const REOPENED_MS = 60_000;
/** People to try things on. */
const STOCK = 6;

interface House {
  tenant: Tenant;
  /** Its first admin, whom no request is about: mends what the others break. */
  keeper: Actor;
  headers: Map<ActorName, Record<string, string>>;
  /** By noun. */
  ids: Record<string, string[]>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const PLACEHOLDER = /@(own|other|nobody|any|fresh):(\w+):(\d+)@/g;
const CAST = ACTORS.filter((name) => !['anonymous', 'garbage token', 'super admin'].includes(name));

export class World {
  readonly #target: Target;
  readonly #databases: Databases;
  readonly #houses: House[] = [];
  /** Made by the first super admin, whom no request is about. */
  #root!: Actor;
  #superAdmin: Record<string, string> = {};
  /** Ids that are not the run's to use. */
  readonly #spared = new Set<string>();
  /** Of those who mend: nobody guesses at them. */
  readonly #keepers = new Set<string>();
  #tenants: { id: string; slug: string }[] = [];
  #platform: Record<string, string[]> = {};

  private constructor(target: Target, databases: Databases) {
    this.#target = target;
    this.#databases = databases;
  }

  /** @param tenants so many at least; the first few have a cast of people. */
  static async make(target: Target, databases: Databases, tenants: number): Promise<World> {
    const world = new World(target, databases);
    world.#root = await superAdmin(target, target.superAdmin);
    world.#spared.add((await world.#root.rest('GET', '/api/auth/me')).body.id);
    for (let made = 0; made < tenants; made++) {
      const tenant = await provision(world.#root, { admin_password: KNOWN_PASSWORD });
      if (made < CAST_TENANTS) await world.#furnish(tenant);
    }
    await world.mend();
    await world.refresh();
    return world;
  }

  async #furnish(tenant: Tenant): Promise<void> {
    const keeper = await this.#signIn('/api/auth/login', tenant.adminEmail, tenant.slug);
    const { id } = (await keeper.rest('GET', '/api/auth/me')).body;
    this.#spared.add(id);
    this.#keepers.add(id);
    this.#houses.push({ tenant, keeper, headers: new Map(), ids: {} });
    await belongingsOf(this.#target, this.#root, keeper, tenant);
  }

  /** From an address of its own, since those that requests come from are throttled. */
  async #signIn(path: string, email: string, tenant?: string): Promise<Actor> {
    const credentials = { email, password: KNOWN_PASSWORD, ...(tenant && { tenant }) };
    const { status, body } = await sendJson(this.#target.url, 'POST', path, credentials, { from: newAddress() });
    if (status !== 200) throw new Error(`${email} cannot sign in: ${JSON.stringify(body)}`);
    return new Actor(this.#target.url, body.token);
  }

  /** Whoever cannot come any more, because a request removed or shut them, is replaced. */
  async mend(): Promise<void> {
    if (!(await this.#answers(this.#superAdmin))) {
      const email = `super-${uuidv7()}@fuzz.test`;
      await made(this.#root, '/api/super-admin/admins', { email, name: 'Fuzz', password: KNOWN_PASSWORD });
      const actor = await this.#signIn('/api/super-admin/login', email);
      this.#superAdmin = bearer(actor.token!);
      this.#spared.add((await actor.rest('GET', '/api/auth/me')).body.id);
    }
    await Promise.all(this.#houses.map((house) => this.#mendHouse(house)));
  }

  async #mendHouse(house: House): Promise<void> {
    const judged = CAST.map(async (name) => {
      const headers = house.headers.get(name);
      return !!headers && (await this.#answers(headers, name === 'suspended' ? 'user_suspended' : undefined));
    });
    const well = await Promise.all(judged);
    const lost = CAST.filter((_, at) => !well[at]);
    if (lost.length === 0) return;
    const { id, slug, adminEmail } = house.tenant;
    await this.#reopen(id);
    await this.settle();
    if (!(await this.#answers(bearer(house.keeper.token!)))) {
      house.keeper = await this.#signIn('/api/auth/login', adminEmail, slug);
    }
    for (const name of lost) house.headers.set(name, await this.#enter(house, name));
  }

  /** A request may have had it suspended, archived, or set its end; what is under way is waited for. */
  async #reopen(tenantId: string): Promise<void> {
    const path = `/api/super-admin/tenants/${tenantId}`;
    const open = { status: 'active', limits: { max_agents: null, max_contacts: null, max_messages_month: null } };
    for (const deadline = Date.now() + REOPENED_MS; ; await sleep(100)) {
      const answer = await this.#root.rest('PATCH', path, open);
      const { code } = answer.body;
      if ((code !== 'tenant_archived' && code !== 'conflict') || Date.now() > deadline) {
        await expectOk(Promise.resolve(answer));
        return;
      }
      if (code === 'tenant_archived') await this.#root.rest('POST', `${path}/unarchive`);
    }
  }

  async #answers(headers: Record<string, string>, wanted?: string): Promise<boolean> {
    const { status, body } = await new Actor(this.#target.url).rest('GET', '/api/auth/me', undefined, headers);
    return wanted ? body.code === wanted : status === 200;
  }

  async #enter({ tenant, keeper }: House, name: ActorName): Promise<Record<string, string>> {
    if (name.endsWith('impersonation')) {
      const body = { read_only: name.startsWith('read-only') };
      const path = `/api/super-admin/tenants/${tenant.id}/impersonate`;
      return bearer((await expectOk(this.#root.rest('POST', path, body))).token);
    }
    const email = `cast-${uuidv7()}@fuzz.test`;
    const role = name === 'supervisor' || name === 'agent' ? name : name === 'suspended' ? 'agent' : 'admin';
    const id = await hired(keeper, email, KNOWN_PASSWORD, role);
    const actor = await this.#signIn('/api/auth/login', email, tenant.slug);
    this.#spared.add(id);
    if (name === 'suspended') {
      await expectOk(this.#root.rest('POST', `/api/super-admin/users/${id}/suspend?tenant_id=${tenant.id}`));
      await sleep(50);
    }
    if (name !== 'API key') return bearer(actor.token!);
    const { permissions } = await expectOk(actor.rest('GET', '/api/auth/me'));
    return { 'x-api-key': (await made(actor, '/api/api-keys', { name: 'Fuzz', scopes: permissions })).key };
  }

  /** Agents and super admins to try things on, as many as there were before; put in place, since hashing takes time. */
  async #restock(): Promise<void> {
    const short = (count: number) => Array.from({ length: Math.max(STOCK - count, 0) }, () => uuidv7());
    const put = (table: string, columns: string, id: string, like: string[]) =>
      this.#databases.rows(
        `insert into ${table} (id, email, password_hash, created_at, ${columns})
         select $1, $2, password_hash, now(), ${columns} from ${table} where id = any ($3) order by id desc limit 1`,
        [id, `stock-${id}@fuzz.test`, like],
      );
    for (const id of short(this.#platform.superAdmin?.length ?? 0)) {
      await put('super_admins', 'name', id, [...this.#spared]);
    }
    for (const { tenant, ids } of this.#houses) {
      for (const id of short(ids.agent?.length ?? 0)) {
        await put('identities', 'org_id', id, await this.#idsIn(tenant.id));
        await this.#databases.rows(
          `insert into agents (id, email, full_name, role_id, created_at, updated_at)
           select $1, $2, 'Stock', id, now(), now() from roles where name = 'agent'`,
          [id, `stock-${id}@fuzz.test`],
          await this.#databaseOf(tenant.id),
        );
      }
    }
  }

  /** Accounts of a tenant that have the known password. */
  async #idsIn(tenantId: string): Promise<string[]> {
    const text = 'select id from identities where org_id = $1 and id = any ($2)';
    return (await this.#databases.rows<{ id: string }>(text, [tenantId, [...this.#spared]])).map(({ id }) => id);
  }

  async #databaseOf(tenantId: string): Promise<string> {
    const text = 'select database_name as name from tenant_databases where org_id = $1';
    return (await this.#databases.rows<{ name: string }>(text, [tenantId]))[0]!.name;
  }

  /** Makes up for what is gone, and reads anew what there is. */
  async refresh(): Promise<void> {
    await this.#read();
    await this.#restock();
    await this.#read();
  }

  async #read(): Promise<void> {
    const idsOf = async (text: string, values: unknown[] = [], database = '') => {
      const rows = await this.#databases.rows<{ id: string }>(
        `${text} order by 1 desc limit ${MOST_IDS}`,
        values,
        database,
      );
      return rows.map(({ id }) => id).filter((id) => !this.#spared.has(id));
    };
    this.#tenants = await this.#databases.rows('select id, slug from organizations order by id');
    this.#platform = {
      superAdmin: await idsOf('select id from super_admins'),
      superEmail: await idsOf("select email as id from super_admins where email like '%@fuzz.test'"),
      impersonation: await idsOf('select id from sessions where impersonator_id is not null and ended_at is null'),
    };
    await Promise.all(
      this.#houses.map(async (house) => {
        const { id } = house.tenant;
        const ofOrg = (table: string) => idsOf(`select id from ${table} where org_id = $1`, [id]);
        const database = await this.#databaseOf(id);
        const own = (text: string) => idsOf(text, [], database);
        const nouns = {
          agent: own('select id from agents where deleted_at is null'),
          division: own('select id from divisions'),
          role: own('select id from roles where not is_system'),
          exception: own('select id from working_hours_exceptions'),
          apiKey: ofOrg('api_keys'),
          session: ofOrg('sessions'),
          email: idsOf('select email as id from identities where org_id = $1 and id <> all ($2)', [
            id,
            [...this.#keepers],
          ]),
        };
        const found = Object.entries(nouns).map(async ([noun, ids]) => [noun, await ids] as const);
        house.ids = Object.fromEntries(await Promise.all(found));
      }),
    );
  }

  /** Waits until nothing is being made or carried over any more. */
  async settle(): Promise<void> {
    const pending = `select 1 from provisioning_runs where state not in ('succeeded', 'retrying')
      union all select 1 from pgboss.job where state in ('created', 'retry', 'active') and start_after <= now()`;
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(20)) {
      if ((await this.#databases.rows(pending)).length === 0) return;
    }
  }

  get tenantCount(): number {
    return this.#tenants.length;
  }

  /** What is sent. */
  render(draft: Draft): Wire {
    const fill = (text: string) =>
      text.replace(PLACEHOLDER, (_, whose, noun, n) => this.#find(draft, whose, noun, Number(n)));
    const twist = (part: string, text: Buffer) =>
      draft.twists.filter((one) => one.part === part).reduce((changed, { change }) => change(changed), text);
    const query = draft.query.map(([name, value]) => `${encoded(fill(name))}=${encoded(fill(value))}`).join('&');
    const url = twist('url', Buffer.from(fill(draft.path) + (query && `?${query}`)));
    const json = draft.body === undefined ? undefined : JSON.stringify(draft.body);
    const body =
      json && twist('body', Buffer.from(fill(json).replace(/"@raw:(.*?)@"/g, (_, raw) => raw.replaceAll('\\"', '"'))));
    return {
      method: draft.method,
      // What Node's client would refuse to send.
      path: url
        .toString('latin1')
        .replace(/[^\x21-\xff]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`),
      headers: { ...this.#credentials(draft), ...draft.headers },
      ...(body && { body }),
      // Companies that sign themselves up are throttled by address, which bounds their number.
      ...(/register/.test(draft.operation) && { from: 0 }),
    };
  }

  #credentials({ actor, tenant }: Draft): Record<string, string> {
    if (actor === 'anonymous') return {};
    if (actor === 'garbage token') return bearer('eyJhbGciOiJIUzI1NiJ9.e30.x');
    return actor === 'super admin' ? this.#superAdmin : this.#houses[tenant]!.headers.get(actor)!;
  }

  #find(draft: Draft, whose: string, noun: string, n: number): string {
    const { tenant, operation } = draft;
    if (whose === 'nobody') return `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    if (whose === 'fresh') {
      return this.#tenants.length < MOST_TENANTS ? `fuzz-${uuidv7()}` : this.#tenants[n % this.#tenants.length]!.slug;
    }
    if (noun === 'slug' && whose === 'any') return this.#tenants[n % this.#tenants.length]!.slug;
    const house = this.#houses[(tenant + (whose === 'other' ? 1 : 0)) % this.#houses.length]!;
    if (noun === 'tenant') return house.tenant.id;
    if (noun === 'slug') return house.tenant.slug;
    // Those of the cast seldom: whoever is shut out has to be replaced.
    const others = this.#tenants.slice(n === 40 ? 0 : CAST_TENANTS);
    if (noun === 'anyTenant') return others[n % others.length]!.id;
    const kept = noun === 'actor' ? 'agent' : noun === 'email' && /super-?admin/i.test(operation) ? 'superEmail' : noun;
    const known = house.ids[kept] ?? this.#platform[kept] ?? [];
    return known[n % Math.max(known.length, 1)] ?? this.#find(draft, 'nobody', noun, n);
  }
}

async function expectOk(asked: Promise<Answer<unknown>>) {
  const { status, body } = await asked;
  if (status >= 400) throw new Error(`the world cannot be mended: ${JSON.stringify(body)}`);
  // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes
  return body as any;
}
