import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Organization } from './organization.ts';

/** How an export stands. */
export enum ExportState {
  QUEUED = 'queued',
  RUNNING = 'running',
  READY = 'ready',
  FAILED = 'failed',
}

/** Where files that outlive a request are kept (domain/kept-files.ts). */
export type Place = 'folder' | 'bucket';

/** One file of an export. */
export interface ExportedFile {
  /** Where it is kept (domain/kept-files.ts). */
  name: string;
  bytes: number;
  /** SHA-256 in hex; also its ETag. */
  digest: string;
  /** Lines, or objects of the tenant's bucket. */
  entries: number;
}

/** A tenant's data as files, made in the background and kept for some days. */
@Entity({ tableName: 'tenant_exports' })
@Index({ properties: ['orgId', 'id'] })
export class TenantExport {
  /** UUIDv7. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', index: false })
  orgId!: string;

  /** Whether a user of the tenant asked for it, and not the platform. */
  @Property({ type: 'boolean' })
  isOwn!: boolean;

  /** The address of who asked; absent for a command of the operator's. */
  @Property({ type: 'text', nullable: true })
  requestedBy?: string | null;

  @Property({ type: 'text', default: 'queued' })
  state: ExportState = ExportState.QUEUED;

  /** How often a worker has taken it up. Also the fence: one whose number is not the newest changes nothing. */
  @Property({ type: 'integer', default: 0 })
  attempt: number = 0;

  /** Why the latest attempt failed. */
  @Property({ type: 'text', nullable: true })
  error?: string | null;

  /** Lines written so far. */
  @Property({ type: 'integer', default: 0 })
  records: number = 0;

  /** Lines to be written, as soon as they are counted. */
  @Property({ type: 'integer', nullable: true })
  recordsTotal?: number | null;

  @Property({ type: 'text', nullable: true })
  place?: Place | null;

  @Property({ type: 'jsonb', nullable: true })
  data?: ExportedFile | null;

  /** Absent where the tenant has no bucket. */
  @Property({ type: 'jsonb', nullable: true })
  files?: ExportedFile | null;

  /** The instant that it speaks of. */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  takenAt?: Date | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  finishedAt?: Date | null;

  /** When its files are removed, and it with them. */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Index()
  expiresAt?: Date | null;
}
