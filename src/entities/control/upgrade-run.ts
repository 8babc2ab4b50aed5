import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Enum, Index, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { nowDate } from '../../clock.ts';
import { UuidScalar } from '../../schema/scalars.ts';

/** Where an upgrade is. */
export enum UpgradeState {
  RUNNING = 'running',
  PAUSED = 'paused',
  STOPPED = 'stopped',
  FINISHED = 'finished',
  CANCELLED = 'cancelled',
}

registerEnumType(UpgradeState, {
  name: 'UpgradeState',
  description: 'Where an upgrade is.',
  valuesConfig: {
    RUNNING: { description: 'Tenants are being upgraded.' },
    PAUSED: {
      description: 'Somebody paused it, or it waits for somebody to look at its canary: resumeUpgrade goes on.',
    },
    STOPPED: { description: 'More tenants failed than its budget allows: resumeUpgrade goes on.' },
    FINISHED: { description: 'Every tenant was upgraded, or set aside with its reason.' },
    CANCELLED: { description: 'Called off; what was upgraded stays so.' },
  },
});

/** How the upgrade of one tenant stands. */
export enum TenantUpgradeState {
  PENDING = 'pending',
  RUNNING = 'running',
  DONE = 'done',
  FAILED = 'failed',
  SKIPPED = 'skipped',
}

registerEnumType(TenantUpgradeState, {
  name: 'TenantUpgradeState',
  description: 'How the upgrade of one tenant stands.',
  valuesConfig: {
    PENDING: { description: 'Its turn has not come, or it is to be tried again.' },
    RUNNING: { description: 'Under way.' },
    DONE: { description: 'At the version.' },
    FAILED: { description: 'Set aside: its error says why, and its database is as it was.' },
    SKIPPED: {
      description:
        'Left out: it was removed, archived or moved meanwhile, or the upgrade was called off before its turn.',
    },
  },
});

/** The upgrade of all tenants that were behind when it was started. One is unfinished at a time. */
@Entity({ tableName: 'upgrade_runs' })
@Unique({
  name: 'upgrade_runs_one_at_a_time',
  expression: 'create unique index "upgrade_runs_one_at_a_time" on "upgrade_runs" ((true)) where "finished_at" is null',
})
@ObjectType({ description: 'An upgrade of the schema of the databases of all tenants that were behind when it began.' })
export class UpgradeRun {
  @PrimaryKey({ type: 'uuid' })
  @Field(() => UuidScalar)
  id!: string;

  @Enum({ items: () => UpgradeState, nativeEnumName: 'upgrade_state' })
  @Field(() => UpgradeState, { description: 'Where it is.' })
  state: UpgradeState = UpgradeState.RUNNING;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, { nullable: true, description: 'Why it does not run, where it was not asked to pause.' })
  reason?: string | null;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'The schema version that tenants are brought to.' })
  toVersion!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'So many tenants go first.' })
  canary!: number;

  @Property({ type: 'boolean' })
  @Field({ description: 'Whether it pauses for somebody to look when the canary is through.' })
  pauseAfterCanary!: boolean;

  @Property({ type: 'integer' })
  @Field(() => Int, {
    description: 'Tenants a wave, after the canary. A wave begins when the one before it is through.',
  })
  waveSize!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'Tenants that are upgraded at the same time, by all processes together.' })
  concurrency!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'It stops itself when more tenants than that have failed.' })
  failureBudget!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'Milliseconds that a statement waits for a lock before it gives up for now.' })
  lockTimeoutMs!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'How often a tenant is tried again after what may pass, such as a lock.' })
  retries!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'The wave that is under way; 0 is the canary.' })
  wave!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'The last wave.' })
  waves!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'Tenants that were behind when it began.' })
  total!: number;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'Tenants that are at the version.' })
  done: number = 0;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'Tenants that are set aside.' })
  failed: number = 0;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'Tenants that were left out.' })
  skipped: number = 0;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, {
    nullable: true,
    description: 'Who started it; absent of one that the gateway started itself.',
  })
  startedBy?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  @Field(() => Date)
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it was finished or called off.' })
  finishedAt?: Date | null;
}

/** One tenant in an upgrade. */
@Entity({ tableName: 'upgrade_items' })
@Index({ properties: ['runId', 'state', 'wave', 'tenantId'] })
@Index({ properties: ['tenantId', 'runId'] })
@Index({
  name: 'upgrade_items_running_idx',
  expression:
    'create index "upgrade_items_running_idx" on "upgrade_items" ("worker_session") where "state" = \'running\'',
})
@ObjectType({ description: 'The upgrade of one tenant.' })
export class TenantUpgrade {
  [PrimaryKeyProp]?: ['runId', 'tenantId'];

  @ManyToOne({ entity: () => UpgradeRun, fieldName: 'run_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  runId!: string;

  @PrimaryKey({ type: 'uuid', fieldName: 'org_id' })
  @Field(() => UuidScalar, { description: 'The tenant.' })
  tenantId!: string;

  @Property({ type: 'text' })
  @Field({ description: "The tenant's slug." })
  slug!: string;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'The wave that it belongs to; 0 is the canary.' })
  wave!: number;

  @Property({ type: 'integer' })
  @Field(() => Int, { description: 'The schema version that it had when the upgrade began.' })
  fromVersion!: number;

  @Enum({ items: () => TenantUpgradeState, nativeEnumName: 'tenant_upgrade_state' })
  @Field(() => TenantUpgradeState, { description: 'How it stands.' })
  state: TenantUpgradeState = TenantUpgradeState.PENDING;

  /** How often it was taken up. Also the fence: a worker whose number is not the newest records nothing. */
  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'How often it was taken up.' })
  attempt: number = 0;

  @Property({ type: 'integer' })
  retriesLeft!: number;

  /** The session number of the process that is at it (jobs/worker-session.ts). */
  @Property({ type: 'integer', nullable: true })
  workerSession?: number | null;

  /** When that process last said that it is at it. */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  seenAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it is tried again, after what may pass.' })
  nextTryAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When the latest attempt began.' })
  startedAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it came to its end, well or not.' })
  finishedAt?: Date | null;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, { nullable: true, description: 'Why the latest attempt failed.' })
  error?: string | null;
}
