import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Division } from './division.ts';

/** One stretch of one weekday in which the business is open (seed: Working Hours). */
@Entity({ tableName: 'working_hours' })
export class WorkingHours {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** Absent for the tenant's own hours. */
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

  /** 0 is Sunday. */
  @Property({ type: 'smallint' })
  dayOfWeek!: number;

  /** `HH:MM:SS` */
  @Property({ type: 'time', length: 0 })
  startTime!: string;

  /** `HH:MM:SS`; before the start it is on the next day, `00:00:00` is the end of this one. */
  @Property({ type: 'time', length: 0 })
  endTime!: string;

  @Property({ type: 'boolean', default: true })
  isActive: boolean = true;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}
