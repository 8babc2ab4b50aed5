import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** Someone who writes to the tenant. */
@Entity({ tableName: 'contacts' })
export class Contact {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Date;
}

/** A message that came in or went out. */
@Entity({ tableName: 'messages' })
export class Message {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  @Index()
  contactId!: string;

  @Property({ type: 'text' })
  channel!: string;

  @Property({ type: 'text' })
  body!: string;

  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Date;
}

/** A channel that the tenant has connected. */
@Entity({ tableName: 'integrations' })
export class Integration {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** `whatsapp`, `instagram`, `messenger` or `email`. */
  @Property({ type: 'text' })
  channel!: string;

  @Property({ type: 'boolean', default: true })
  isActive: boolean = true;

  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Date;
}
