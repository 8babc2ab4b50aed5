import { OptionalProps } from '@mikro-orm/core';
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Division } from './division.ts';

/** Hours of the wall clock as an exception holds them, each time `HH:MM:SS`. */
export interface ExceptionHours {
  startTime: string;
  /** Before the start it is on the next day; `00:00:00` is the end of this one. */
  endTime: string;
}

/** Days that differ from the week, such as holidays. On one level no two cover the same day. */
@Entity({ tableName: 'working_hours_exceptions' })
export class WorkingHoursException {
  [OptionalProps]?: 'yearly' | 'createdAt' | 'updatedAt';

  /** UUIDv7. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** Absent for the whole organization. */
  @ManyToOne({
    entity: () => Division,
    fieldName: 'division_id',
    mapToPk: true,
    nullable: true,
    index: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  divisionId?: string | null;

  @Property({ type: 'text' })
  name!: string;

  /** `YYYY-MM-DD` */
  @Property({ type: 'date' })
  startDate!: string;

  /** The last day, `YYYY-MM-DD`. */
  @Property({ type: 'date' })
  endDate!: string;

  /** Comes back every year from the first on. */
  @Property({ type: 'boolean', default: false })
  yearly: boolean = false;

  /** Empty: closed. */
  @Property({ type: 'jsonb', defaultRaw: `'[]'` })
  hours!: ExceptionHours[];

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}

/** A division for which an exception of the whole organization does not hold. */
@Entity({ tableName: 'exception_opt_outs' })
export class ExceptionOptOut {
  @ManyToOne({
    entity: () => WorkingHoursException,
    fieldName: 'exception_id',
    mapToPk: true,
    primary: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  exceptionId!: string;

  @ManyToOne({
    entity: () => Division,
    fieldName: 'division_id',
    mapToPk: true,
    primary: true,
    index: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  divisionId!: string;
}
