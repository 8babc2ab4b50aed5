/** Three gateways on one control database, each a process of its own, and a client that goes to them in turn. */
import { Actor } from './actors.ts';
import { JWT_SECRET } from './app.ts';
import { createControlDatabase, dropControlDatabase, sql } from './database.ts';
import { cleanUp, type GatewayProcess, startGateway, type Variant } from './gateway-process.ts';

export interface Gateways {
  readonly databaseUrl: string;
  /** What each of them was started with. */
  readonly env: Record<string, string>;
  readonly all: readonly GatewayProcess[];
  /** Ends them and removes their databases. */
  stop(): Promise<void>;
}

/** One of them: what it is started with on top of what all are. */
export interface One extends Variant {
  env?: Record<string, string>;
}

/** @param env of all of them. */
export async function startGateways(
  env: Record<string, string> = {},
  ones: readonly One[] = [{}, {}, {}],
): Promise<Gateways> {
  const databaseUrl = await createControlDatabase();
  const common = { DATABASE_URL: databaseUrl, JWT_SECRET, WARM_DATABASES: '0', ...env };
  const all = await Promise.all(ones.map(({ env: own, ...variant }) => startGateway({ ...common, ...own }, variant)));
  return {
    databaseUrl,
    env: common,
    all,
    async stop() {
      await cleanUp();
      await dropControlDatabase(databaseUrl);
    },
  };
}

/** The same token at each of them. */
export const at = ({ all }: Pick<Gateways, 'all'>, token?: string): Actor[] =>
  all.map(({ url }) => new Actor(url, token));

/** As behind a balancer that goes round: each call names the next one. */
export function inTurn<T>(ones: readonly T[]): () => T {
  let turn = 0;
  return () => ones[turn++ % ones.length]!;
}

/** The events of a topic in the log, after this one. */
export const eventsAfter = (databaseUrl: string, topic: string, after: number) =>
  sql<{ seq: number }>(
    databaseUrl,
    'select seq::float8 as seq from events where topic = $1 and seq > $2 order by seq',
    [topic, after],
  );

/** What a gateway's metrics say. @param series without `omnistream_`, with its labels. */
export async function metric({ url }: Pick<GatewayProcess, 'url'>, series: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`omnistream_${series} `));
  return line === undefined ? Number.NaN : Number(line.split(' ').at(-1));
}
