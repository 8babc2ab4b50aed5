import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** What binds an entry to all before it, made after its commit (domain/audit-chain.ts). */
@Entity({ tableName: 'audit_chain' })
export class AuditLink {
  /** 1, 2, 3, ... without a gap. */
  @PrimaryKey({ type: 'bigint', autoincrement: false })
  seq!: string;

  /** Not a reference: an entry that is removed leaves its link. */
  @Property({ type: 'uuid', unique: true })
  entryId!: string;

  /** Keyed, of the hash before it and the entry's digest. */
  @Property({ type: 'blob' })
  hash!: Buffer;
}

/** An entry that waits for its link; a trigger notes it in the transaction that writes it. */
@Entity({ tableName: 'audit_unlinked' })
export class UnlinkedAuditEntry {
  @PrimaryKey({ type: 'uuid' })
  entryId!: string;
}
