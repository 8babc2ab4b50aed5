import { Entity, Enum, Index, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { nowDate } from '../../clock.ts';
import { Organization } from './organization.ts';

/** Where the making of a tenant's databases is. */
export enum ProvisioningState {
  QUEUED = 'queued',
  RUNNING = 'running',
  RETRYING = 'retrying',
  CANCELLING = 'cancelling',
  SUCCEEDED = 'succeeded',
}

registerEnumType(ProvisioningState, {
  name: 'ProvisioningState',
  description: "Where the making of a tenant's databases is.",
  valuesConfig: {
    QUEUED: { description: 'Waiting for a worker.' },
    RUNNING: { description: 'A worker is at it.' },
    RETRYING: { description: 'The last attempt failed; the next starts by itself, or by retryProvisioning at once.' },
    CANCELLING: { description: 'Called off: what was made is being removed.' },
    SUCCEEDED: { description: 'Done; the tenant is active.' },
  },
});

/** How one step of a run stands. */
export enum StepState {
  PENDING = 'pending',
  RUNNING = 'running',
  DONE = 'done',
  FAILED = 'failed',
}

registerEnumType(StepState, {
  name: 'ProvisioningStepState',
  description: 'How one step stands.',
  valuesConfig: {
    PENDING: { description: 'Not begun.' },
    RUNNING: { description: 'Under way.' },
    DONE: { description: 'Ended well.' },
    FAILED: { description: 'Ended badly: its error says why, and it is tried again.' },
  },
});

/** The making of one tenant; one per tenant, however often it is retried. */
@Entity({ tableName: 'provisioning_runs' })
@Index({ properties: ['state'] })
export class ProvisioningRun {
  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  @Enum({ items: () => ProvisioningState, nativeEnumName: 'provisioning_state' })
  state: ProvisioningState = ProvisioningState.QUEUED;

  /** How often a worker has taken it up. Also the fence: a worker whose number is not the newest changes nothing. */
  @Property({ type: 'integer', default: 0 })
  attempt: number = 0;

  /** The session number of the worker process that holds it (jobs/worker-session.ts). */
  @Property({ type: 'integer', nullable: true })
  workerSession?: number | null;

  /** The queue's job. */
  @Property({ type: 'uuid', nullable: true })
  jobId?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  finishedAt?: Date | null;
}

/** One step of a run and how its latest attempt went. */
@Entity({ tableName: 'provisioning_steps' })
@Unique({ properties: ['orgId', 'name'] })
@ObjectType({ description: 'One step of making a tenant and how its latest attempt went.' })
export class ProvisioningStep {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade' })
  orgId!: string;

  @Property({ type: 'integer' })
  position!: number;

  @Property({ type: 'text' })
  @Field({
    description:
      'reserve_names, create_database, apply_schema, seed_defaults, create_stores, create_admin or activate.',
  })
  name!: string;

  @Enum({ items: () => StepState, nativeEnumName: 'step_state' })
  @Field(() => StepState, { description: 'How it stands.' })
  state: StepState = StepState.PENDING;

  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'How often it was started.' })
  attempt: number = 0;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When the latest attempt began.' })
  startedAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When the latest attempt ended, well or not.' })
  finishedAt?: Date | null;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, { nullable: true, description: 'Why the latest attempt failed.' })
  error?: string | null;
}

/** A run with its steps, as the playground shows it. */
@ObjectType({ description: "The making of a tenant's databases, step by step." })
export class Provisioning {
  @Field(() => ProvisioningState, { description: 'Where it is.' })
  state!: ProvisioningState;

  @Field(() => Int, { description: 'How often a worker has taken it up.' })
  attempt!: number;

  @Field(() => [ProvisioningStep], { description: 'In the order in which they run.' })
  steps!: ProvisioningStep[];
}
