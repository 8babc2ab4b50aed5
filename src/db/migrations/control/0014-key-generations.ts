import { Migration } from '@mikro-orm/migrations';

/** What keys there have been, so that JWT_SECRET can be changed. */
export class Control0014KeyGenerations extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      create table "key_generations" (
        "number" int not null,
        "sealed_keys" text not null,
        "used_from" timestamptz(3) not null,
        primary key ("number")
      );
    `);
  }
}
