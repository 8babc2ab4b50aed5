/** Which active tenant a public question is about, from memory: chat widgets ask on every page. */
import { type ControlDatabase, query } from '../db/control.ts';
import { TenantStatus } from '../entities/control/organization.ts';
import type { EventBus } from '../live/event-bus.ts';
import { Remembered } from '../live/remembered.ts';
import { slug as slugRule } from './rules.ts';

/** Slugs, real and made up; an entry is some hundred bytes. */
const REMEMBERED = 20_000;

const bySlugKey = (slug: string) => `slug ${slug}`;
/** The key of the only active tenant. */
const ONLY = 'only';

interface Found {
  /** Absent: there is no such tenant, or it is not active. */
  id?: string;
}

interface Known {
  /** Absent: there is no such tenant. */
  status?: TenantStatus;
}

const activeBySlug = query<{ id: string }>(
  'active_by_slug',
  `select id from organizations where slug = $1 and status = 'active'`,
);
const statusById = query<Known>('status_by_id', 'select status from organizations where id = $1');
const someActive = query<{ id: string }>(
  'some_active',
  `select id from organizations where status = 'active' order by id limit 2`,
);

export class TenantDirectory {
  readonly #control: ControlDatabase;
  readonly #found: Remembered<Found>;
  readonly #known: Remembered<Known>;

  constructor(control: ControlDatabase, bus: EventBus) {
    this.#control = control;
    this.#found = new Remembered(bus, REMEMBERED);
    this.#known = new Remembered(bus, REMEMBERED);
    // A name that was free may be taken now, and the only tenant no longer the only one. Of others nothing has changed: what
    // is known of them holds on while the database is away.
    bus.on('tenant', ({ payload: { tenantId, tenant } }) => {
      this.#found.forget(bySlugKey(tenant.slug));
      this.#found.forget(ONLY);
      this.#known.forget(tenantId);
    });
  }

  /** Another one whenever a tenant may have changed. */
  get edition(): number {
    return this.#found.edition + this.#known.edition;
  }

  /** The active tenant of this slug; undefined for none. What cannot be a slug is not looked for. */
  async bySlug(slug: string): Promise<string | undefined> {
    if (!slugRule.safeParse(slug).success) return undefined;
    const { id } = await this.#found.get(bySlugKey(slug), async () => ({
      id: (await this.#ask(activeBySlug, slug))[0],
    }));
    return id;
  }

  /** @returns undefined for one that is not there, or no more. */
  async statusOf(id: string): Promise<TenantStatus | undefined> {
    const ask = async () => {
      const { name, text } = statusById;
      return (await this.#control.pool.query<Known>({ name, text, values: [id] })).rows[0] ?? {};
    };
    const { status } = await this.#known.get(id, ask);
    // One that was shut may be open again before this process is told: whoever signed in then is not to be sent away.
    return status === TenantStatus.SUSPENDED ? (await ask()).status : status;
  }

  async isActive(id: string): Promise<boolean> {
    return (await this.statusOf(id)) === TenantStatus.ACTIVE;
  }

  /** The active tenant, where there is just one. */
  async onlyOne(): Promise<string | undefined> {
    const { id } = await this.#found.get(ONLY, async () => {
      const [first, second] = await this.#ask(someActive);
      return { id: second ? undefined : first };
    });
    return id;
  }

  async #ask({ name, text }: typeof activeBySlug, ...values: string[]): Promise<string[]> {
    const { rows } = await this.#control.pool.query<{ id: string }>({ name, text, values });
    return rows.map(({ id }) => id);
  }
}
