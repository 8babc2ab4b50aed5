/** Drops what servers that are back have of tenants that were removed without them (left-databases.ts). */
import type { Services } from '../context.ts';
import { query, rowsWithin } from '../db/control.ts';
import { audit, bySystem } from './audit.ts';
import { FencedOff } from './durable-run.ts';
import { dropOn } from './left-databases.ts';

/** How often what was left is looked for. Milliseconds. */
export const DROP_LEFT_MS = 5000;

interface Left {
  serverId: string;
  serverName: string;
  name: string;
  orgId: string;
  slug: string;
}

const allLeft = query<Left>(
  'left_databases',
  `select l.server_id as "serverId", s.name as "serverName", l.name, l.org_id as "orgId", l.slug
     from left_databases l join database_servers s on s.id = l.server_id order by l.left_at`,
);
const forget = query<{ name: string }>(
  'forget_left_database',
  'delete from left_databases where server_id = $1 and name = $2 returning name',
);
const isThere = query<object>('is_organization_there', 'select from organizations where id = $1');

/**
 * A backup has brought the tenant back: what the server has may be newer than that, and is for somebody to look into. A fence's error,
 * since any other goes unheard where the server is away.
 */
class CameBack extends FencedOff {}

export class LeftDropper {
  readonly #services: Pick<Services, 'control' | 'log' | 'servers'>;
  /** Why each is not dropped yet, by server and name: said when that changes, not every time. */
  #troubles = new Map<string, string>();

  constructor(services: Pick<Services, 'control' | 'log' | 'servers'>) {
    this.#services = services;
  }

  async run(): Promise<void> {
    const { rows } = await this.#services.control.pool.query<Left>({ ...allLeft });
    const former = this.#troubles;
    this.#troubles = new Map();
    for (const left of rows) {
      const { message, err } = await this.#drop(left).catch((error: unknown) => ({ message: NOT_YET, err: error }));
      if (!message) continue;
      const key = `${left.serverId} ${left.name}`;
      const trouble = `${message} ${err}`;
      this.#troubles.set(key, trouble);
      if (former.get(key) !== trouble) this.#services.log.warn({ ...toldOf(left), err }, message);
    }
  }

  /** @returns what is in the way; nothing of a server that is away, which is said elsewhere. */
  async #drop(left: Left): Promise<{ message?: string; err?: unknown }> {
    const { control, log, servers } = this.#services;
    const { serverId, name, orgId, slug } = left;
    const refuseCameBack = async () => {
      if ((await control.pool.query({ ...isThere, values: [orgId] })).rowCount) throw new CameBack();
    };
    const outcome = await dropOn(this.#services, await servers.byId(serverId), orgId, refuseCameBack).catch(
      (error: unknown) => {
        if (error instanceof CameBack) return 'came back';
        throw error;
      },
    );
    if (outcome === 'away') return {};
    if (outcome === 'replaced') return { message: REPLACED };
    await control.orm.em.fork().transactional(async (em) => {
      if ((await rowsWithin(em, forget, [serverId, name])).length === 0 || outcome !== 'dropped') return;
      const target = { type: 'tenant', id: orgId };
      const before = { slug, server: left.serverName, database: name };
      audit(em, bySystem, { action: 'tenant.drop_left', orgId, target, before });
    });
    if (outcome === 'dropped') log.info(toldOf(left), 'what a server that was away had of a removed tenant is dropped');
    else log.warn(toldOf(left), CAME_BACK);
    return {};
  }
}

const toldOf = ({ orgId, slug, serverName, name }: Left) => ({ orgId, slug, server: serverName, database: name });

const NOT_YET = 'what a removed tenant left is not dropped yet; it is tried again';
const REPLACED =
  'what a removed tenant left is not dropped yet: another server than was registered answers at the address, npm run doctor says what to do';
const CAME_BACK = 'a removed tenant was restored since: what its former server has stays, npm run doctor names it';
