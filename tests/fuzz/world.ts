/** The tenants and people that requests come from and are about, kept so that they can, and what is sent in their names. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { Actor, provision, superAdmin, type Tenant } from '../support/actors.ts';
import { belongingsOf, hired, made } from '../support/belongings.ts';
import { newAddress, sendJson } from '../support/http.ts';
import { CAST_TENANTS } from './actors.ts';
import type { Databases } from './fingerprint.ts';
import { encoded } from './hostilities.ts';
import { Known } from './known.ts';
import { ACTORS, type ActorName, type Draft, KNOWN_PASSWORD, type Target, type Wire } from './model.ts';
import { expectOk, Platform } from './platform.ts';
import { settled } from './settling.ts';
import { restock } from './stock.ts';

/** A tenant that was being archived is given back within. */
const REOPENED_MS = 60_000;
interface House {
  tenant: Tenant;
  /** Its first admin, whom no request is about: mends what the others break. */
  keeper: Actor;
  headers: Map<ActorName, Record<string, string>>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
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
  #platform!: Platform;
  #known!: Known;

  private constructor(target: Target, databases: Databases) {
    this.#target = target;
    this.#databases = databases;
  }

  /**
   * @param tenants so many at least; the first few have a cast of people.
   * @param isWhole whether there is to be what operations on servers, moves and upgrades are about.
   */
  static async make(target: Target, databases: Databases, tenants: number, isWhole: boolean): Promise<World> {
    const world = new World(target, databases);
    world.#root = await superAdmin(target, target.superAdmin);
    world.#spared.add((await world.#root.rest('GET', '/api/auth/me')).body.id);
    world.#platform = new Platform(world.#root, databases, target.servers, isWhole);
    world.#known = new Known(databases, world.#platform, world.#spared, world.#keepers);
    for (let made = 0; made < tenants; made++) {
      const tenant = await provision(world.#root, { admin_password: KNOWN_PASSWORD });
      if (made < CAST_TENANTS) await world.#furnish(tenant);
      // From here on they are spread over two servers.
      if (made === CAST_TENANTS) await world.#platform.begin(tenant.id);
    }
    await world.mend();
    await world.lookAfter();
    await world.settle();
    await world.refresh();
    return world;
  }

  /** What is not there by itself. */
  async lookAfter(): Promise<void> {
    await this.#platform.lookAfter(this.#houses.map(({ tenant }) => tenant.id));
  }

  /** Whether a line of the log tells of what the world itself has done. */
  expects(line: string): boolean {
    return this.#platform.expects(line);
  }

  /** Leaves nothing under way. */
  end(): Promise<void> {
    return this.#platform.end();
  }

  async #furnish(tenant: Tenant): Promise<void> {
    const keeper = await this.#signIn('/api/auth/login', tenant.adminEmail, tenant.slug);
    const { id } = (await keeper.rest('GET', '/api/auth/me')).body;
    this.#spared.add(id);
    this.#keepers.add(id);
    this.#houses.push({ tenant, keeper, headers: new Map() });
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

  /** Makes up for what is gone, and reads anew what there is. */
  async refresh(): Promise<void> {
    const houses = this.#houses.map(({ tenant }) => tenant);
    await this.#known.read(houses);
    await restock(this.#databases, {
      spared: [...this.#spared],
      superAdmins: this.#known.idsOf('superAdmin'),
      agents: houses.map(({ id }) => ({ tenantId: id, ids: this.#known.idsOf('agent', id) })),
    });
    await this.#known.read(houses);
  }

  /** Waits for the end of what was begun, two minutes at most unless said otherwise. @returns what has not come to it. */
  settle(ms?: number): Promise<string[]> {
    return settled(this.#databases, ms);
  }

  get tenantCount(): number {
    return this.#known.tenantCount;
  }

  /** What is sent. */
  render(draft: Draft): Wire {
    const json = draft.body === undefined ? undefined : JSON.stringify(draft.body);
    const fill = this.#known.filling(draft, `${draft.path} ${json}`);
    const twist = (part: string, text: Buffer) =>
      draft.twists.filter((one) => one.part === part).reduce((changed, { change }) => change(changed), text);
    const query = draft.query.map(([name, value]) => `${encoded(fill(name))}=${encoded(fill(value))}`).join('&');
    const url = twist('url', Buffer.from(fill(draft.path) + (query && `?${query}`)));
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
      ...(/register$/.test(draft.operation) && { from: 0 }),
    };
  }

  #credentials({ actor, tenant }: Draft): Record<string, string> {
    if (actor === 'anonymous') return {};
    if (actor === 'garbage token') return bearer('eyJhbGciOiJIUzI1NiJ9.e30.x');
    return actor === 'super admin' ? this.#superAdmin : this.#houses[tenant]!.headers.get(actor)!;
  }
}
