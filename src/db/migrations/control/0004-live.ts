import { Migration } from '@mikro-orm/migrations';

/** What subscriptions are told from: events that carry what they tell, and since when each component stands as it does. */
export class Control0004Live extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      -- Those of before say only that something happened; nobody can have subscribed to them.
      delete from "events" where "topic" in ('tenant', 'provisioning');
      create index "events_topic_seq_index" on "events" ("topic", "seq");

      create table "component_states" (
        "component" text not null,
        "status" text not null,
        "error" text null,
        "since" timestamptz(3) not null,
        primary key ("component")
      );
    `);
  }
}
