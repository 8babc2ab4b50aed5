import { Migration } from '@mikro-orm/migrations';

/** The platform's log by what an entry is about: without it a rare type was looked for through all that ever happened. */
export class Control0015LogByType extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create index "audit_entries_target_type_id_index" on "audit_entries" ("target_type", "id");
    `);
  }
}
