/** Agents as their tenant's admins make and change them, by REST. */
import { type Actor, agent, type Tenant } from './actors.ts';
import type { TestApp } from './app.ts';
import { serverUrl, sql } from './database.ts';
import { decode } from './tokens.ts';

export const AGENTS = '/api/agents';
export const PASSWORD = 'a good password';

interface Made {
  id: string;
  email: string;
}

export const idOf = (actor: Actor): string => decode(actor.token!).claims.sub;

/** @param world of the suite: a gateway, and who asks unless somebody else does. */
export function agentsOf(world: () => { here: TestApp; admin: Actor }) {
  let made = 0;
  const wanted = (change: object = {}) => ({
    email: `agent${++made}@acme.test`,
    full_name: `Agent ${made}`,
    password: PASSWORD,
    ...change,
  });
  const create = (change: object = {}, by = world().admin) => by.rest('POST', AGENTS, wanted(change));
  return {
    wanted,
    create,
    created: async (change: object = {}, by = world().admin): Promise<Made> => (await create(change, by)).body,
    login: ({ email }: { email: string }, app = world().here) => agent(app, email, PASSWORD),
    patch: (id: string, change: object, by = world().admin) => by.rest('PATCH', `${AGENTS}/${id}`, change),
    /** What a tenant's activity log says of one. */
    log: (tenant: Tenant, target: string) =>
      sql<Record<string, unknown>>(
        serverUrl(world().here.services.servers.home.nameFor(tenant.id)),
        'select action, before, after from activity_log where target_id = $1 order by id',
        [target],
      ),
  };
}
