import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Organization } from './organization.ts';
import type { Place } from './tenant-export.ts';

/** What is being done with a suspended tenant as a whole. */
export enum OffboardingKind {
  ARCHIVE = 'archive',
  RESTORE = 'restore',
  PURGE = 'purge',
}

export enum OffboardingState {
  QUEUED = 'queued',
  RUNNING = 'running',
  RETRYING = 'retrying',
  SUCCEEDED = 'succeeded',
  FAILED = 'failed',
}

/** The latest work on a suspended tenant as a whole; one at a time per tenant. */
@Entity({ tableName: 'offboarding_runs' })
export class OffboardingRun {
  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  @Property({ type: 'text' })
  kind!: OffboardingKind;

  @Property({ type: 'text', default: 'queued' })
  state: OffboardingState = OffboardingState.QUEUED;

  /** What the latest attempt is at, or was when it failed. */
  @Property({ type: 'text', nullable: true })
  step?: string | null;

  /** How often a worker has taken it up. Also the fence: a worker whose number is not the newest changes nothing. */
  @Property({ type: 'integer', default: 0 })
  attempt: number = 0;

  @Property({ type: 'text', nullable: true })
  error?: string | null;

  /** Of a restore: whether the tenant is to be active at its end. */
  @Property({ type: 'boolean', default: false })
  activate: boolean = false;

  @Property({ type: 'text', nullable: true })
  requestedBy?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();
}

/** The archive of a tenant; there is one from the moment it is durable until the tenant is restored or purged. */
@Entity({ tableName: 'tenant_archives' })
export class TenantArchive {
  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  @Property({ type: 'text' })
  place!: Place;

  /** Where it is kept (domain/kept-files.ts). */
  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'bigint' })
  bytes!: string;

  @Property({ type: 'bigint' })
  records!: string;

  /** The instant that it speaks of. */
  @Property({ type: 'timestamptz', length: 3 })
  takenAt!: Date;
}
