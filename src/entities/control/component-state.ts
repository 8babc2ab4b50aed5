import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** What was told last of a component, and since when it has stood so (domain/health-watch.ts). */
@Entity({ tableName: 'component_states' })
export class ComponentState {
  /** A field of the health report. */
  @PrimaryKey({ type: 'text' })
  component!: string;

  @Property({ type: 'text' })
  status!: string;

  @Property({ type: 'text', nullable: true })
  error?: string | null;

  @Property({ type: 'timestamptz', length: 3 })
  since!: Date;
}
