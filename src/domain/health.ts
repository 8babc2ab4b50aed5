/** Whether everything the platform depends on is up: real probes, shared by all who ask at once. */

import pg from 'pg';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { describeFailure } from '../components/describe-failure.ts';
import type { Components } from '../components/index.ts';
import { type Probe, withDeadline } from '../components/probe.ts';
import type { ServiceName } from '../config.ts';
import { type Sql, sqlOf } from '../db/control.ts';
import type { DatabaseServers } from '../db/database-servers.ts';
import { LIVING_WORKERS } from '../db/locks.ts';
import { ComponentHealth, ComponentStatus } from './component-health.ts';
import { DatabaseServerHealth, standingsOf } from './server-health.ts';

export enum PlatformStatus {
  ACTIVE = 'active',
  INACTIVE = 'inactive',
}
export enum OverallStatus {
  OK = 'ok',
  DEGRADED = 'degraded',
}
registerEnumType(PlatformStatus, {
  name: 'PlatformStatus',
  description: 'Whether any tenant has the channel connected.',
  valuesConfig: {
    ACTIVE: { description: 'An active tenant has it connected.' },
    INACTIVE: { description: 'No active tenant has.' },
  },
});
registerEnumType(OverallStatus, {
  name: 'OverallStatus',
  description: 'How the platform stands as a whole.',
  valuesConfig: {
    OK: { description: 'Nothing that is configured is down, and a worker is alive.' },
    DEGRADED: { description: 'At least one component that is configured is down, or no worker is alive.' },
  },
});

@ObjectType({ description: 'What the platform keeps its data in.' })
export class InfrastructureHealth {
  @Field(() => ComponentHealth, { description: 'The control-plane database.' })
  controlPlane!: ComponentHealth;
  @Field(() => ComponentHealth, { description: "The server of the tenants' databases." })
  postgres!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'Where documents of tenants are kept.' })
  mongodb!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'The cache.' })
  redis!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'The message broker.' })
  kafka!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'The object store.' })
  minio!: ComponentHealth;
}

@ObjectType({ description: 'The services around the gateway, each asked over HTTP.' })
export class MicroservicesHealth implements Record<ServiceName | 'apiGateway', ComponentHealth> {
  @Field(() => ComponentHealth, { description: 'This process.' })
  apiGateway!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'Takes in what channels send.' })
  webhookIngestor!: ComponentHealth;
  @Field(() => ComponentHealth, { description: "Brings messages to agents' browsers." })
  wsServer!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'Runs conversations.' })
  chatEngine!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'Sends messages to channels.' })
  messageSender!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'Answers by itself where it may.' })
  aiAgent!: ComponentHealth;
  @Field(() => ComponentHealth, { description: 'Keeps the accounts of tenants.' })
  billingService!: ComponentHealth;
}

@ObjectType({ description: 'A channel by which customers write.' })
export class PlatformHealth {
  @Field(() => PlatformStatus, { description: 'Whether it is in use.' })
  status!: PlatformStatus;
}

@ObjectType({ description: 'Which channels any active tenant has connected.' })
export class PlatformsHealth {
  @Field(() => PlatformHealth, { description: 'WhatsApp.' })
  whatsapp!: PlatformHealth;
  @Field(() => PlatformHealth, { description: 'Instagram.' })
  instagram!: PlatformHealth;
  @Field(() => PlatformHealth, { description: 'Facebook Messenger.' })
  messenger!: PlatformHealth;
  @Field(() => PlatformHealth, { description: 'E-mail.' })
  email!: PlatformHealth;
}

@ObjectType({ description: 'How many tenants there are.' })
export class TenantCounts {
  @Field(() => Int, { description: 'All of them, also those that are being made.' })
  total!: number;
  @Field(() => Int, { description: 'Those in use.' })
  active!: number;
  @Field(() => Int, { description: 'Those that are shut.' })
  suspended!: number;
}

@ObjectType({ description: 'How the platform stands, as of at most a second ago.' })
export class SystemHealth {
  @Field(() => OverallStatus, { description: 'OK where nothing that is configured is down and a worker is alive.' })
  status!: OverallStatus;
  @Field(() => InfrastructureHealth, { description: 'Databases, cache, broker, object store.' })
  infrastructure!: InfrastructureHealth;
  @Field(() => MicroservicesHealth, { description: 'The gateway and the services around it.' })
  microservices!: MicroservicesHealth;
  @Field(() => PlatformsHealth, { description: 'The channels by which customers write.' })
  platforms!: PlatformsHealth;
  @Field(() => TenantCounts, { description: 'How many there are.' })
  tenants!: TenantCounts;
  @Field(() => Int, {
    nullable: true,
    description:
      'Processes that run jobs. With none of them requests are served, but nothing is provisioned, counted or watched. Null in ' +
      'reports of versions that did not count them.',
  })
  workers?: number;
  @Field(() => [DatabaseServerHealth], {
    nullable: true,
    description:
      'The registered database servers, and the home server where there is a pooler in front of it; absent where there are none.',
  })
  databaseServers?: DatabaseServerHealth[];
}

/** What the control plane knows of its tenants. */
interface TenantFacts extends TenantCounts {
  workers?: number;
  channels: string[];
  /** By component: what was told of it last, and since when it holds. */
  states: Record<string, { status: ComponentStatus; since: string }>;
}

/** Contract section 2: a dead component costs the answer at most two seconds. */
const PROBE_MS = 1800;
const SHARED_MS = 1000;

const TENANT_FACTS = `
  select count(*)::int as total, (count(*) filter (where status = 'active'))::int as active,
         (count(*) filter (where status = 'suspended'))::int as suspended,
         (select coalesce(json_agg(distinct channel), '[]') from usage u, unnest(u.active_channels) as channel
           where exists (select from organizations o where o.id = u.org_id and o.status = 'active')) as channels,
         (select coalesce(json_object_agg(component, json_build_object('status', status, 'since', since)), '{}')
            from component_states) as states,
         ${LIVING_WORKERS} as workers
    from organizations`;

export class HealthMonitor {
  readonly #components: Components;
  readonly #servers: DatabaseServers;
  /** Of its own, so that a busy gateway is not taken for a dead database. */
  readonly #pool: pg.Pool;
  /** Of the control database, which has less than two seconds to answer. */
  readonly sql: Sql;
  #facts: TenantFacts = { total: 0, active: 0, suspended: 0, channels: [], states: {} };
  #latest?: { report: Promise<SystemHealth>; at: number };

  constructor(url: string, components: Components, servers: DatabaseServers) {
    this.#components = components;
    this.#servers = servers;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 2,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: PROBE_MS,
      query_timeout: PROBE_MS,
      application_name: 'omnistream health',
      allowExitOnIdle: true,
    });
    this.#pool.on('error', () => {});
    this.sql = sqlOf(this.#pool);
  }

  /** The report; one that began less than a second ago is shared. */
  report(): Promise<SystemHealth> {
    if (!this.#latest || Date.now() - this.#latest.at > SHARED_MS) {
      this.#latest = { report: this.#probeAll(), at: Date.now() };
    }
    return this.#latest.report;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #probeAll(): Promise<SystemHealth> {
    const { probes } = this.#components;
    const { services } = probes;
    const [controlPlane, postgres, mongodb, redis, kafka, minio, ...answers] = await Promise.all([
      measure({ check: () => this.#readFacts() }),
      measure({ check: async () => void (await this.#pool.query('select pg_is_in_recovery()')) }),
      measure(probes.mongodb),
      measure(probes.redis),
      measure(probes.kafka),
      measure(probes.minio),
      ...SERVICES.map((name) => measure(services[name])),
    ]);
    const infrastructure = { controlPlane, postgres, mongodb, redis, kafka, minio };
    const microservices = {
      apiGateway: { status: ComponentStatus.UP },
      ...(Object.fromEntries(SERVICES.map((name, index) => [name, answers[index]])) as Record<
        ServiceName,
        ComponentHealth
      >),
    };
    const databaseServers = await this.#readServers();
    const { channels, states, workers, ...tenants } = this.#facts;
    const named = componentsOf({ infrastructure, microservices, databaseServers });
    for (const [name, component] of named) {
      const told = states[name];
      if (told?.status === component.status) component.since = told.since;
    }
    const platform = (channel: string) => ({
      status: channels.includes(channel) ? PlatformStatus.ACTIVE : PlatformStatus.INACTIVE,
    });
    return {
      status:
        workers === 0 || named.some(([, { status }]) => status === ComponentStatus.DOWN)
          ? OverallStatus.DEGRADED
          : OverallStatus.OK,
      infrastructure,
      microservices,
      platforms: {
        whatsapp: platform('whatsapp'),
        instagram: platform('instagram'),
        messenger: platform('messenger'),
        email: platform('email'),
      },
      tenants,
      workers,
      databaseServers,
    };
  }

  /** While the control plane is down nobody knows whose they are. */
  async #readServers(): Promise<DatabaseServerHealth[] | undefined> {
    return standingsOf(this.#servers, this.#pool).catch(() => undefined);
  }

  /** While the control plane is down the last known counts stand. */
  async #readFacts(): Promise<void> {
    const { rows } = await this.#pool.query<TenantFacts>(TENANT_FACTS);
    this.#facts = rows[0]!;
  }
}

const SERVICES: readonly ServiceName[] = [
  'webhookIngestor',
  'wsServer',
  'chatEngine',
  'messageSender',
  'aiAgent',
  'billingService',
];

async function measure(probe: Pick<Probe, 'check'> | undefined): Promise<ComponentHealth> {
  if (!probe) return { status: ComponentStatus.NOT_CONFIGURED };
  const start = performance.now();
  try {
    await withDeadline(PROBE_MS, (signal) => probe.check(signal));
    return { status: ComponentStatus.UP, latencyMs: Math.round(performance.now() - start) };
  } catch (error) {
    return {
      status: ComponentStatus.DOWN,
      latencyMs: Math.round(performance.now() - start),
      error: describeFailure(error),
    };
  }
}

/** Every component of a report by its name, for the history. */
export function componentsOf({
  infrastructure,
  microservices,
  databaseServers = [],
}: Pick<SystemHealth, 'infrastructure' | 'microservices' | 'databaseServers'>): [
  name: string,
  health: ComponentHealth,
][] {
  return [
    ...Object.entries(infrastructure),
    ...Object.entries(microservices),
    ...databaseServers.map((server): [string, ComponentHealth] => [`databaseServer:${server.name}`, server]),
  ];
}
