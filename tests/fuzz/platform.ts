/**
 * What some operations are about and is not there by itself: other database servers, a move that waits for one, a provisioning
 * that finds no room, a paused upgrade. It is looked after between requests, by a super admin whom no request is about.
 */
import { v7 as uuidv7 } from 'uuid';
import { type Actor, type Answer, eventually } from '../support/actors.ts';
import { made } from '../support/belongings.ts';
import { serverUrl, sql } from '../support/database.ts';
import { makeOneOlder, POISON } from '../support/older-version.ts';
import { startTenantServer, type TenantServer } from '../support/tenant-servers.ts';
import type { Databases } from './fingerprint.ts';
import { MOST_TENANTS } from './known.ts';
import { parkedAtFailure, settled, unpark } from './settling.ts';
import { IDLE } from './subjects.ts';
import { FAR } from './values.ts';

const SERVERS = '/api/super-admin/database-servers';
const CAPACITY = 2000;
/** For so many looks the far server may be removed and registered, and nothing waits for it. */
const FREE_LOOKS = 8;
const NOBODY = '00000000-0000-0000-0000-000000000000';
const UNFINISHED_UPGRADE = 'select id from upgrade_runs where finished_at is null';
const UNFINISHED_MOVES = `select org_id as id from tenant_moves where state not in ('finished', 'undone', 'cancelled')`;
/** Moves that are left at the end have come to theirs by then. */
const ENDED_MS = 60_000;

/** Of a gateway under test: it keeps archives, and brings no tenant up to date by itself. */
export const ENVIRONMENT = { LOG_LEVEL: 'debug', DATA_DIR_SHARED: 'true', UPGRADE_TENANTS: 'manual' };

/** PostgreSQL servers of a run's own, besides the one that the control plane is on. */
export interface OtherServers {
  /** Takes tenants as the home server does. */
  near: TenantServer;
  /** Comes and goes. Its region is its own, and no tenant stays on it. */
  far: TenantServer;
}

export async function startOtherServers(): Promise<OtherServers & { stop(): Promise<void> }> {
  const [near, far] = await Promise.all([startTenantServer(), startTenantServer()]);
  return { near, far, stop: async () => void (await Promise.all([near.remove(), far.remove()])) };
}

interface Registered {
  id: string;
  name: string;
  address: string;
  state: string;
  capacity: number;
  region?: string;
  pooled_address?: string;
  is_home: boolean;
}

const addressOf = ({ url }: TenantServer) => new URL(url).host;

export class Platform {
  readonly #root: Actor;
  readonly #databases: Databases;
  readonly #servers: OtherServers;
  readonly #isWhole: boolean;
  #registered: Registered[] = [];
  #isFarShut = false;
  /** That the far server has had. */
  readonly #farNames = new Set<string>();
  #looks = 0;
  #freeLooks = FREE_LOOKS;
  /** Whose upgrade fails each time. */
  #stubborn = '';

  /** @param isWhole otherwise only the near server is there. */
  constructor(root: Actor, databases: Databases, servers: OtherServers, isWhole: boolean) {
    this.#root = root;
    this.#databases = databases;
    this.#servers = servers;
    this.#isWhole = isWhole;
  }

  /** To be kept from other requests: what is done to it would not come to its end. */
  get stubborn(): string {
    return this.#stubborn;
  }

  /** Addresses to register, with their passwords; first those of servers that are not. */
  get urls(): string[] {
    const { near, far } = this.#servers;
    return (this.#find(far) ? [near, far] : [far, near]).map(({ url }) => url);
  }

  /** Where tenants may be moved to. */
  get targets(): string[] {
    return this.#registered.filter(({ address }) => address !== addressOf(this.#servers.far)).map(({ id }) => id);
  }

  get servers(): string[] {
    return this.#registered.map(({ id }) => id);
  }

  /** That hold nothing. */
  get spareServers(): string[] {
    const far = this.#find(this.#servers.far);
    return far ? [far.id] : [];
  }

  /** Whether a line of the log says that the far server is away. */
  expects(line: string): boolean {
    return line.includes('a database server is away') && [...this.#farNames].some((name) => line.includes(`"${name}"`));
  }

  /** @param stubborn a tenant on the home server. */
  async begin(stubborn: string): Promise<void> {
    this.#stubborn = stubborn;
    await this.#giveBack();
  }

  /** @param cast tenants that are left alone. */
  async lookAfter(cast: readonly string[]): Promise<void> {
    this.#looks++;
    await this.#giveBack();
    await this.#turnClocks();
    if (!this.#isWhole) return;
    await this.#emptyFar();
    await this.#leaveOneWaiting();
    await this.#leaveOneHanging(cast);
    if (this.#looks % 3 === 1) await this.#pauseUpgrade(cast);
  }

  /** No move is left, since databases that follow others cannot be dropped, and no upgrade, of which there is one at a time. */
  async end(): Promise<void> {
    if (this.#isFarShut) await this.#servers.far.entrance.reopen();
    for (const { id } of await this.#databases.rows<{ id: string }>(UNFINISHED_UPGRADE)) {
      await expectOk(this.#root.rest('POST', `/api/super-admin/upgrades/${id}/cancel`));
    }
    for (const deadline = Date.now() + ENDED_MS; Date.now() < deadline; ) {
      const moves = await this.#databases.rows<{ id: string }>(UNFINISHED_MOVES);
      if (moves.length === 0) return;
      for (const { id } of moves) {
        // One of the two can be done; asked again, it is tried at once.
        await this.#root.rest('DELETE', `/api/super-admin/tenants/${id}/move`);
        await this.#root.rest('POST', `/api/super-admin/tenants/${id}/move/finish`);
      }
      await settled(this.#databases, ENDED_MS);
    }
  }

  /** A server that was removed, drained, filled or given a pooler is as it was. */
  async #giveBack(): Promise<void> {
    const { near, far } = this.#servers;
    await this.#read();
    if (!this.#find(near)) await this.#register(near, {});
    for (const server of this.#registered) {
      const isFar = server.address === addressOf(far);
      const wanted = { state: isFar ? 'closed' : 'open', capacity: CAPACITY, region: isFar ? FAR : null };
      const { state, capacity, region = null, pooled_address } = server;
      if (state === wanted.state && capacity >= CAPACITY && region === wanted.region && !pooled_address) continue;
      await expectOk(this.#root.rest('PATCH', `${SERVERS}/${server.id}`, { ...wanted, pooled_url: null }));
    }
    await this.#read();
    const waiting = `select id::text from organizations where region = '${FAR}'`;
    const hanging = `select org_id::text from tenant_moves where target_id = '${this.#find(far)?.id ?? NOBODY}'`;
    await unpark(this.#databases, `coalesce(singleton_key, '') not in (${waiting} union all ${hanging})`);
  }

  /** No countdown ends while requests are looked at; where tenants are many, those that are to be removed are, now. */
  async #turnClocks(): Promise<void> {
    await this.#databases.rows(
      `update organizations o set purge_at = now() + case when ${IDLE} and o.status = 'suspended'
           and (select count(*) from organizations) > ${MOST_TENANTS} then interval '0' else interval '30 days' end
        where purge_at is not null`,
    );
  }

  async #read(): Promise<void> {
    this.#registered = await expectOk(this.#root.rest('GET', SERVERS));
    for (const server of [this.#servers.near, this.#servers.far]) {
      const found = this.#find(server);
      if (found) this.#databases.reach(found.id, server.directUrl);
      if (found && server === this.#servers.far) this.#farNames.add(found.name);
    }
  }

  #find(server: TenantServer): Registered | undefined {
    return this.#registered.find(({ address }) => address === addressOf(server));
  }

  async #register({ url }: TenantServer, more: Record<string, unknown>): Promise<void> {
    await made(this.#root, SERVERS, { name: `other-${uuidv7()}`, url, capacity: CAPACITY, ...more });
    await this.#read();
  }

  /** Who was made there, just when it was open, goes home. */
  async #emptyFar(): Promise<void> {
    const far = this.#find(this.#servers.far);
    const home = this.#registered.find(({ is_home }) => is_home)!;
    const there = await this.#tenants(`d.server_id = $1`, [far?.id]);
    for (const id of there) {
      const path = `/api/super-admin/tenants/${id}/move`;
      // One that has just come is sent for good, or sent away, at the next look.
      await this.#root.rest('POST', `${path}/finish`);
      await this.#root.rest('POST', path, { server_id: home.id });
    }
  }

  /** In a region whose only server takes none. */
  async #leaveOneWaiting(): Promise<void> {
    const waiting = await this.#databases.rows(`select from organizations where status = 'provisioning'`);
    if (waiting.length > 0 || !this.#find(this.#servers.far)) return;
    const slug = `far-${uuidv7()}`;
    const { id } = await made(this.#root, '/api/super-admin/tenants', { name: 'Far', slug, region: FAR });
    await parkedAtFailure(this.#databases, 'tenant.provision', id);
  }

  /** A move to a server that is away from then on, until requests have ended the move. */
  async #leaveOneHanging(cast: readonly string[]): Promise<void> {
    const { far } = this.#servers;
    const isLeft = `${UNFINISHED_MOVES} and target_id = $1`;
    if ((await this.#databases.rows(isLeft, [this.#find(far)?.id])).length > 0) return;
    if (this.#isFarShut) {
      await far.entrance.reopen();
      this.#isFarShut = false;
      this.#freeLooks = 0;
    }
    if (this.#freeLooks++ < FREE_LOOKS) return;
    if (!this.#find(far)) await this.#register(far, { region: FAR });
    const { id } = this.#find(far)!;
    if ((await this.#tenants('d.server_id = $1', [id])).length > 0) return;
    const [tenant] = await this.#idle(cast, `o.schema_version = (select max(schema_version) from organizations)`);
    if (!tenant) return;
    const state = (name: string) => expectOk(this.#root.rest('PATCH', `${SERVERS}/${id}`, { state: name }));
    await state('open');
    const { status } = await this.#root.rest('POST', `/api/super-admin/tenants/${tenant}/move`, { server_id: id });
    if (status < 300) {
      await far.entrance.close();
      this.#isFarShut = true;
      await parkedAtFailure(this.#databases, 'tenant.move', tenant);
    }
    await state('closed');
  }

  /** After its canary, which has failed. */
  async #pauseUpgrade(cast: readonly string[]): Promise<void> {
    if ((await this.#databases.rows(UNFINISHED_UPGRADE)).length > 0) return;
    const others = await this.#idle(cast, 'true');
    const { controlUrl } = this.#databases;
    await makeOneOlder(controlUrl, [this.#stubborn, ...others.slice(-2)]);
    const { name } = await this.#databases.placeOf(this.#stubborn);
    await sql(serverUrl(name, controlUrl), POISON);
    const { id } = await made(this.#root, '/api/super-admin/upgrades', { canary: 1 });
    const upgrade = () => this.#root.rest('GET', `/api/super-admin/upgrades/${id}`);
    await eventually(upgrade, ({ body }) => body.state !== 'running', 60_000);
  }

  /** Those on the home server about whom nothing is under way. */
  #idle(cast: readonly string[], where: string): Promise<string[]> {
    const home = this.#registered.find(({ is_home }) => is_home)!;
    return this.#tenants(`${IDLE} and o.archived_at is null and o.id <> all ($1) and d.server_id = $2 and ${where}`, [
      [...cast, this.#stubborn],
      home.id,
    ]);
  }

  /** @param where SQL of organizations `o` and where they are, `d`. */
  async #tenants(where: string, values: unknown[]): Promise<string[]> {
    const text = `select o.id from organizations o join tenant_databases d on d.org_id = o.id where ${where} order by o.id`;
    return (await this.#databases.rows<{ id: string }>(text, values)).map(({ id }) => id);
  }
}

export async function expectOk(asked: Promise<Answer<unknown>>) {
  const { status, body } = await asked;
  if (status >= 400) throw new Error(`the world cannot be mended: ${JSON.stringify(body)}`);
  // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes
  return body as any;
}
