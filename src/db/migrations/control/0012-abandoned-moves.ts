import { Migration } from '@mikro-orm/migrations';

/** Moves that were ended without a server that did not come back. */
export class Control0012AbandonedMoves extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      alter table "tenant_moves" add column "abandoned_for" text null, add column "left_behind" jsonb null;
    `);
  }
}
