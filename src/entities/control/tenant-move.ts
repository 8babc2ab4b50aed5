import { Entity, Enum, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { nowDate } from '../../clock.ts';
import { UuidScalar } from '../../schema/scalars.ts';
import { DatabaseServer } from './database-server.ts';
import { Organization } from './organization.ts';
import { StepState } from './provisioning-run.ts';

/** Where the move of a tenant is. */
export enum MoveState {
  COPYING = 'copying',
  SWITCHING = 'switching',
  SWITCHED = 'switched',
  FINISHING = 'finishing',
  FINISHED = 'finished',
  UNDOING = 'undoing',
  UNDONE = 'undone',
  CANCELLING = 'cancelling',
  CANCELLED = 'cancelled',
  FAILED = 'failed',
}

registerEnumType(MoveState, {
  name: 'TenantMoveState',
  description: 'Where the move of a tenant to another server is.',
  valuesConfig: {
    COPYING: { description: 'What it holds is copied, changes follow. The tenant notices nothing.' },
    SWITCHING: { description: 'Seconds in which it is read and not written: writes wait.' },
    SWITCHED: {
      description: 'It is on the other server. The former database follows, so that the move can be undone.',
    },
    FINISHING: { description: 'The former database is being dropped.' },
    FINISHED: { description: 'Moved for good; nothing is left on the former server but what leftBehind names.' },
    UNDOING: { description: 'On its way back, with all that was written since.' },
    UNDONE: { description: 'It is where it was before the move; nothing is left on the other server.' },
    CANCELLING: { description: 'Called off: what was made on the other server is being removed.' },
    CANCELLED: {
      description:
        'Called off; the tenant has stayed where it was, and nothing is left elsewhere but what leftBehind names.',
    },
    FAILED: {
      description:
        'Given up after several attempts; the tenant is where it was. moveTenant tries again, cancelTenantMove removes what was made.',
    },
  },
});

/** In these nothing of a move is left but its record. */
export const ENDED_MOVES: readonly MoveState[] = [MoveState.FINISHED, MoveState.UNDONE, MoveState.CANCELLED];

/** SQL of the rows of the others. */
export const UNFINISHED_MOVE = `state not in (${ENDED_MOVES.map((state) => `'${state}'`)})`;

/** SQL of those that will have a place on their target. */
export const INBOUND_MOVE = `state in ('${MoveState.COPYING}', '${MoveState.SWITCHING}', '${MoveState.FAILED}')`;

@ObjectType({ description: 'One step of a move and how its latest attempt went.' })
export class MoveStep {
  @Field({
    description:
      'prepare, create_database, copy, catch_up, read_only, verify, switch, open or follow_back; of a way back undo_read_only, ' +
      'undo_verify, undo_switch or undo_open; remove_source or remove_target.',
  })
  name!: string;

  @Field(() => StepState, { description: 'How it stands.' })
  state!: StepState;

  @Field(() => Int, { description: 'How often it was started.' })
  attempt!: number;

  @Field(() => Date, { nullable: true, description: 'When the latest attempt began.' })
  startedAt?: string | null;

  @Field(() => Date, { nullable: true, description: 'When the latest attempt ended, well or not.' })
  finishedAt?: string | null;

  @Field(() => String, { nullable: true, description: 'Why the latest attempt failed.' })
  error?: string | null;
}

@ObjectType({ description: 'How far the copy of a tenant has come.' })
export class MoveProgress {
  @Field(() => Int, { description: 'Tables there are to copy.' })
  tables!: number;

  @Field(() => Int, { description: 'Tables whose rows are copied; their changes follow.' })
  tablesCopied!: number;

  @Field(() => Float, { description: 'Bytes that the tables take up.' })
  bytes!: number;

  @Field(() => Float, { description: 'Bytes that are copied, as far as is known.' })
  bytesCopied!: number;

  @Field(() => Float, { nullable: true, description: 'Bytes of changes that the copy has not confirmed yet.' })
  lagBytes?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Rows that were found to be the same on both servers before the switch.',
  })
  rowsVerified?: number | null;
}

/** The move of a tenant's database to another server: the latest one, however often it was retried. */
@Entity({ tableName: 'tenant_moves' })
@Index({ properties: ['state'] })
@ObjectType({ description: "The move of a tenant's database to another server, step by step." })
export class TenantMove {
  @ManyToOne({ entity: () => Organization, fieldName: 'org_id', mapToPk: true, deleteRule: 'cascade', primary: true })
  orgId!: string;

  @ManyToOne({
    entity: () => DatabaseServer,
    fieldName: 'source_id',
    mapToPk: true,
    index: false,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  @Field(() => UuidScalar, { description: 'The server that it is, or was, moved from.' })
  sourceId!: string;

  @ManyToOne({
    entity: () => DatabaseServer,
    fieldName: 'target_id',
    mapToPk: true,
    index: false,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  @Field(() => UuidScalar, { description: 'The server that it is, or was, moved to.' })
  targetId!: string;

  @Enum({ items: () => MoveState, nativeEnumName: 'move_state' })
  @Field(() => MoveState, { description: 'Where it is.' })
  state: MoveState = MoveState.COPYING;

  /** How often a worker has taken it up, earlier moves of the tenant included. Also the fence, as of a provisioning. */
  @Property({ type: 'integer', default: 0 })
  @Field(() => Int, { description: 'How often a worker has taken it up, earlier moves of the tenant included.' })
  attempt: number = 0;

  /** The session number of the worker process that holds it (jobs/worker-session.ts). */
  @Property({ type: 'integer', nullable: true })
  workerSession?: number | null;

  @Property({ type: 'jsonb', defaultRaw: `'[]'` })
  @Field(() => [MoveStep], { description: 'In the order in which they run.' })
  steps: MoveStep[] = [];

  @Property({ type: 'jsonb' })
  @Field(() => MoveProgress, { description: 'How far the copy has come.' })
  progress!: MoveProgress;

  /** Attempts to switch that were given up. */
  @Property({ type: 'integer', default: 0 })
  failedSwitches: number = 0;

  @Property({ type: 'integer' })
  @Field(() => Int, {
    description: 'Writes wait, or are told to come again, for so many seconds at most; else the switch is put off.',
  })
  maxReadOnlySeconds!: number;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'Since when it is not written; absent unless that is now.' })
  readOnlySince?: Date | null;

  @Property({ type: 'integer', nullable: true })
  @Field(() => Int, { nullable: true, description: 'How many milliseconds it was not written at the switch.' })
  readOnlyMs?: number | null;

  @Property({ type: 'text', nullable: true })
  @Field(() => String, {
    nullable: true,
    description: 'Why it was ended without a server that did not answer; absent of one that was not.',
  })
  abandonedFor?: string | null;

  @Property({ type: 'jsonb', nullable: true })
  @Field(() => [String], {
    nullable: true,
    description:
      'What is left on the server without which it was ended, a line a server; absent of a move that left nothing.',
  })
  leftBehind?: string[] | null;

  /** Whether the server that the tenant is on did not answer: what the move has there goes when that is back, and the first line of leftBehind with it. */
  @Property({ type: 'boolean', default: false })
  awaitsRelease: boolean = false;

  @Property({ type: 'timestamptz', length: 3 })
  @Field(() => Date, { description: 'When it was asked for.' })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it came to its end.' })
  finishedAt?: Date | null;
}
