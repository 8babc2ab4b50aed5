import { Migration } from '@mikro-orm/migrations';

/** Keys that tokens are signed with, after the one that is derived from JWT_SECRET. */
export class Control0006SigningKeys extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create table "signing_keys" (
        "kid" text not null,
        "sealed_key" text not null,
        "signs_from" timestamptz(3) not null,
        "former_end_at" timestamptz(3) not null,
        "created_at" timestamptz(3) not null default now(),
        primary key ("kid")
      );
    `);
  }
}
