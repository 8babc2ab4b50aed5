/** A worker that dies at a chosen moment: from then on nothing that it does reaches anybody, as after `kill -9`. */
import type { OffboardingServices } from '../../src/domain/offboarding/runs.ts';

export class Died extends Error {}

/** The same object but for some of its methods. */
const but = <T extends object>(whole: T, methods: Partial<Record<keyof T, unknown>>): T =>
  new Proxy(whole, {
    get(target, name) {
      if (name in methods) return methods[name as keyof T];
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

/**
 * @param lives how many effects are let through. The one after them happens or not, by `late`, and is the last of it.
 * @returns services of a worker that dies, and how many effects there were.
 */
export function mortal(services: OffboardingServices, lives: number, late: boolean) {
  const count = { effects: 0 };
  const dying =
    <A extends unknown[], R>(effect: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      count.effects += 1;
      if (count.effects <= lives) return effect(...args);
      if (late && count.effects === lives + 1) await effect(...args);
      throw new Died();
    };
  const { control, servers, kept, components, tenants, keys, log } = services;
  const mortalServer = async (orgId: string) => {
    const server = await servers.of(orgId);
    return but(server, { drop: dying(server.drop.bind(server)) });
  };
  const transactional = (body: never) => control.orm.em.fork().transactional(body);
  return {
    count,
    services: {
      keys,
      log,
      tenants,
      control: {
        ...control,
        pool: { query: dying((statement: never) => control.pool.query(statement) as unknown as Promise<unknown>) },
        orm: { em: { fork: () => Object.assign(control.orm.em.fork(), { transactional: dying(transactional) }) } },
      },
      servers: but(servers, { of: mortalServer, find: mortalServer }),
      kept: but(kept, { keep: dying(kept.keep.bind(kept)), remove: dying(kept.remove.bind(kept)) }),
      components: {
        ...components,
        stores: components.stores.map((store) => ({ ...store, drop: dying(store.drop) })),
      },
    } as unknown as OffboardingServices,
  };
}
