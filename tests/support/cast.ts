/** Everybody whom the table of permissions names, signed in: the users of one tenant, and those who are none of them. */
import { ALL_PERMISSIONS } from '../../src/domain/permissions.ts';
import { type Actor, agent, provision, superAdmin, type Tenant } from './actors.ts';
import type { TestApp } from './app.ts';
import type { Headers } from './attempts.ts';
import { belongingsOf, hired, made } from './belongings.ts';

const PASSWORD = 'a password of the cast';
const bearer = ({ token }: { token?: string }): Headers => ({ authorization: `Bearer ${token}` });

export class Cast {
  readonly tenant: Tenant;
  readonly root: Actor;
  readonly admin: Actor;
  readonly #app: TestApp;
  /** Opens a new session, by actor; those of `custom role without` and `API key without` by what they lack as well. */
  readonly #entrances = new Map<string, () => Promise<Headers>>();
  /** Ids of the tenant's users among them. */
  readonly #ids = new Map<string, string>();
  /** The one session that each keeps. */
  readonly #kept = new Map<string, Promise<Headers>>();

  /** @param lacking the permissions that somebody has to be without. */
  static async assemble(app: TestApp, lacking: readonly string[]): Promise<Cast> {
    const root = await superAdmin(app);
    const [tenant, other] = await Promise.all([provision(root), provision(root)]);
    const cast = new Cast(app, root, tenant, await agent(app, tenant.adminEmail, tenant.adminPassword));
    await cast.#enter(other, lacking);
    return cast;
  }

  private constructor(app: TestApp, root: Actor, tenant: Tenant, admin: Actor) {
    [this.tenant, this.root, this.admin] = [tenant, root, admin];
    this.#app = app;
  }

  /** How the actor asks. @param lacks the permission that the operation demands, if it demands one. */
  as(actor: string, lacks = ''): Promise<Headers> {
    return this.#keep(this.#key(actor, lacks));
  }

  /** The same with a session that may be ended. */
  anew(actor: string, lacks = ''): Promise<Headers> {
    return this.#entrances.get(this.#key(actor, lacks))!();
  }

  #keep(key: string): Promise<Headers> {
    const kept = this.#kept.get(key) ?? this.#entrances.get(key)!();
    this.#kept.set(key, kept);
    return kept;
  }

  #key(actor: string, lacks: string): string {
    const key = actor.endsWith('without') ? `${actor} ${lacks}` : actor;
    if (!this.#entrances.has(key)) throw new Error(`nobody plays ${key}`);
    return key;
  }

  idOf(actor: string): string {
    return this.#ids.get(actor)!;
  }

  async #enter(other: Tenant, lacking: readonly string[]): Promise<void> {
    const { root, admin, tenant } = this;
    const enter = (actor: string, entrance: () => Promise<Headers>) => this.#entrances.set(actor, entrance);
    enter('anonymous', async () => ({}));
    enter('admin', async () => bearer(await agent(this.#app, tenant.adminEmail, tenant.adminPassword)));
    enter('other tenant', async () => bearer(await agent(this.#app, other.adminEmail, other.adminPassword)));
    enter('super admin', async () => bearer(await superAdmin(this.#app)));
    this.#kept.set('admin', Promise.resolve(bearer(admin)));
    this.#kept.set('super admin', Promise.resolve(bearer(root)));
    for (const [actor, read_only] of [
      ['impersonation', false],
      ['read-only impersonation', true],
    ] as const) {
      const path = `/api/super-admin/tenants/${tenant.id}/impersonate`;
      enter(actor, async () => bearer((await root.rest('POST', path, { read_only })).body));
    }
    const employ = async (actor: string, role: string) => {
      const email = `${actor.replaceAll(/\W/g, '-')}@cast.test`;
      enter(actor, async () => bearer(await agent(this.#app, email, PASSWORD)));
      this.#ids.set(actor, await hired(admin, email, PASSWORD, role));
    };
    for (const role of ['agent', 'supervisor']) await employ(role, role);
    for (const permission of ['', ...lacking]) {
      const others = permission ? ALL_PERMISSIONS.filter((one) => one !== permission) : [];
      const role = { name: `without ${permission || 'any'}`, permissions: others };
      await made(admin, '/api/roles', role);
      await employ(`custom role without ${permission}`, role.name);
      const { key } = await made(admin, '/api/api-keys', { name: role.name, scopes: others });
      enter(`API key without ${permission}`, async () => ({ 'x-api-key': key }));
    }
    await employ('suspended', 'agent');
    for (const key of this.#entrances.keys()) await this.#keep(key);
    await root.rest('POST', `/api/super-admin/users/${this.idOf('suspended')}/suspend?tenant_id=${tenant.id}`);
  }

  /** Ids of things that are the tenant's, by their nouns; none of them belongs to anybody of the cast. */
  belongings(): Promise<Record<string, string>> {
    return belongingsOf(this.#app, this.root, this.admin, this.tenant);
  }
}
