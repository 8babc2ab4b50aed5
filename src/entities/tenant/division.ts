import { Entity, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { nowDate } from '../../clock.ts';
import { Agent } from './agent.ts';

/** A part of the organization, with people and, where it wants them, hours and a zone of its own. */
@Entity({ tableName: 'divisions' })
@Unique({
  name: 'divisions_name_key',
  expression: 'create unique index "divisions_name_key" on "divisions" (lower("name"))',
})
export class Division {
  /** UUIDv7. */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** Unique without case. */
  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'text', nullable: true })
  description?: string | null;

  /** IANA name; absent, the tenant's counts. */
  @Property({ type: 'text', nullable: true })
  timezone?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();

  @Property({ type: 'timestamptz', length: 3, onUpdate: () => nowDate() })
  updatedAt: Date = nowDate();
}

/** An agent's place in a division; an agent may have several. */
@Entity({ tableName: 'division_agents' })
export class DivisionAgent {
  @ManyToOne({
    entity: () => Division,
    fieldName: 'division_id',
    mapToPk: true,
    primary: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  divisionId!: string;

  @ManyToOne({
    entity: () => Agent,
    fieldName: 'agent_id',
    mapToPk: true,
    primary: true,
    index: true,
    deleteRule: 'cascade',
    updateRule: 'no action',
  })
  agentId!: string;

  @Property({ type: 'timestamptz', length: 3 })
  createdAt: Date = nowDate();
}
