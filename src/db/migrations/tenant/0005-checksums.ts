import { Migration } from '@mikro-orm/migrations';

/** Which migrations a database has, and what each of them was when it was applied; null for those of before. */
export class Tenant0005Checksums extends Migration {
  override up(): void {
    this.addSql(/* sql */ `alter table "mikro_orm_migrations" add column "checksum" text null;`);
  }
}
