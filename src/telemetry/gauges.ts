/** What is looked up when the metrics are scraped. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Services } from '../context.ts';
import { TENANT_SCHEMA_VERSION } from '../db/migrations/tenant/index.ts';
import { ComponentStatus } from '../domain/component-health.ts';
import { componentsOf, OverallStatus, type SystemHealth } from '../domain/health.ts';
import type { Connections } from '../live/connections.ts';
import { VERSION } from '../project.ts';
import { type ControlFacts, ControlFactsReader } from './control-facts.ts';
import { type Reading, registerLongWork } from './long-work.ts';

export function registerGauges(registry: Registry, services: Services, connections?: Connections): void {
  const { config, control, tenants, bus, health, redis, clock } = services;
  const facts = new ControlFactsReader(health.sql, () => bus.seq);

  /** A gauge whose series are read anew at each scrape: what is not read is not shown. */
  const gauge = (name: string, help: string, labelNames: string[], read: () => Reading[] | Promise<Reading[]>) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const readings = await read();
        this.reset();
        // Without labels, prom-client would show 0 for what could not be read.
        if (labelNames.length === 0 && readings.length === 0) this.set(Number.NaN);
        for (const reading of readings) {
          const value = reading.at(-1) as number;
          if (labelNames.length === 0) this.set(value);
          else this.labels(...(reading.slice(0, -1) as string[])).set(value);
        }
      },
    });
  const fromControl = (read: (facts: ControlFacts) => Reading[]) => async () => {
    const known = await facts.read();
    return known ? read(known) : [];
  };
  const fromHealth = (read: (report: SystemHealth) => Reading[]) => async () => read(await health.report());

  gauge(
    'omnistream_build_info',
    'Always 1: the version, that of Node.js, the schema version that new tenants get, and the role of the process.',
    ['version', 'node', 'schema_version', 'role'],
    () => [[VERSION, process.versions.node, String(TENANT_SCHEMA_VERSION), config.role, 1]],
  );

  gauge(
    'omnistream_pool_connections',
    'Connections of this process to PostgreSQL, by pool (`control`; `tenants`: all their databases) and state: `in_use`, `idle`.',
    ['pool', 'state'],
    () => {
      const { inUse, idle } = tenants.use.connections;
      const { pool } = control;
      return [
        ['control', 'in_use', pool.totalCount - pool.idleCount],
        ['control', 'idle', pool.idleCount],
        ['tenants', 'in_use', inUse],
        ['tenants', 'idle', idle],
      ];
    },
  );
  gauge(
    'omnistream_pool_waiting',
    'Statements and transactions that wait for one of these connections, by pool.',
    ['pool'],
    () => [
      ['control', control.pool.waitingCount],
      ['tenants', tenants.use.connections.waiting],
    ],
  );
  gauge('omnistream_pool_limit', 'The most connections of the control pool.', ['pool'], () => [
    ['control', control.pool.options.max],
  ]);
  gauge('omnistream_tenant_pools', 'Tenants’ databases that this process is connected to.', [], () => [
    [tenants.use.pools],
  ]);
  gauge('omnistream_tenant_pools_limit', 'The most of them at one time.', [], () => [[tenants.use.mostPools]]);
  gauge(
    'omnistream_tenant_turns',
    'Work on tenants’ databases, by state: `at_work`, `waiting` for its turn.',
    ['state'],
    () => {
      const { atWork, waiting } = tenants.use.turns;
      return [
        ['at_work', atWork],
        ['waiting', waiting],
      ];
    },
  );
  gauge('omnistream_tenant_turns_limit', 'The most work on tenants’ databases at one time.', [], () => [
    [tenants.use.turns.most],
  ]);
  new Counter({
    name: 'omnistream_tenant_turns_given_up_total',
    help: 'Work on tenants’ databases whose turn did not come in time: it was answered `unavailable`.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(tenants.use.turns.givenUp);
    },
  });

  gauge(
    'omnistream_live_connections',
    'Open connections of subscribers, by kind: `socket`, or `stream` of events.',
    ['kind'],
    () => [
      ['socket', connections?.count('socket') ?? 0],
      ['stream', connections?.count('stream') ?? 0],
    ],
  );
  gauge('omnistream_event_seq', 'Number of the last event that this process has seen.', [], () => [[bus.seq]]);
  gauge(
    'omnistream_event_lag_events',
    'Numbers that events have been given since the last one that this process has seen.',
    [],
    fromControl(({ newestEvent }) => [[Math.max(0, newestEvent - bus.seq)]]),
  );
  gauge(
    'omnistream_event_lag_seconds',
    'For how long the first event that this process has not seen has been there, by the clock of the database; 0 where it has seen all.',
    [],
    fromControl(({ behindSeconds }) => [[behindSeconds]]),
  );
  gauge(
    'omnistream_event_log_read_age_seconds',
    'Since when this process has not been sure to have seen every event. Above 1, it goes without what it keeps in memory.',
    [],
    () => [[bus.lag / 1000]],
  );
  gauge(
    'omnistream_event_link_up',
    '1 while this process can read the event log (`postgres`), and is told of new events or tells of them (`redis`, where there is one).',
    ['link'],
    () => [['postgres', Number(bus.isUp)], ...(redis ? [['redis', Number(redis.isUp)] as Reading] : [])],
  );
  gauge(
    'omnistream_clock_offset_seconds',
    'How far the database’s clock is ahead of this machine’s; the process goes by the database’s where they differ.',
    [],
    () => [[clock.offset / 1000]],
  );

  gauge(
    'omnistream_workers_alive',
    'Processes that run jobs on this control database.',
    [],
    fromControl(({ workers }) => [[workers]]),
  );
  gauge(
    'omnistream_jobs',
    'Jobs of all processes by queue and state: `waiting`, `deferred` (for a later attempt), `active`, `failed` for good. Counted every few seconds.',
    ['queue', 'state'],
    fromControl(({ queues }) =>
      queues.flatMap(({ name, jobs }) => Object.entries(jobs).map(([state, count]): Reading => [name, state, count])),
    ),
  );
  gauge(
    'omnistream_oldest_job_age_seconds',
    'How long the oldest job that nobody is working at has been there, by queue, later attempts included.',
    ['queue'],
    fromControl(({ queues }) => queues.map(({ name, oldestSeconds }): Reading => [name, oldestSeconds])),
  );
  gauge(
    'omnistream_provisionings',
    'Provisionings of tenants that have not succeeded yet, by state.',
    ['state'],
    fromControl(({ provisionings }) => Object.entries(provisionings)),
  );
  registerLongWork((name, help, labelNames, read) =>
    gauge(
      name,
      help,
      labelNames,
      fromControl(({ longWork }) => read(longWork)),
    ),
  );

  gauge(
    'omnistream_component_up',
    'Whether each component that is configured answers its probe.',
    ['component'],
    fromHealth((report) =>
      configured(report).map(([name, { status }]): Reading => [name, status === ComponentStatus.UP ? 1 : 0]),
    ),
  );
  gauge(
    'omnistream_component_probe_seconds',
    'How long the probe of each component that is configured took.',
    ['component'],
    fromHealth((report) =>
      configured(report).flatMap(([name, { latencyMs }]) =>
        latencyMs === undefined ? [] : [[name, latencyMs / 1000] as Reading],
      ),
    ),
  );
  gauge(
    'omnistream_degraded',
    '1 while anything that is configured is down, as the health report says.',
    [],
    fromHealth(({ status }) => [[status === OverallStatus.DEGRADED ? 1 : 0]]),
  );
  gauge(
    'omnistream_tenants',
    'Tenants by status: `active`, `suspended`, `other`.',
    ['status'],
    fromHealth(({ tenants: { total, active, suspended } }) => [
      ['active', active],
      ['suspended', suspended],
      ['other', total - active - suspended],
    ]),
  );
}

const configured = (report: SystemHealth) =>
  componentsOf(report).filter(([, { status }]) => status !== ComponentStatus.NOT_CONFIGURED);
