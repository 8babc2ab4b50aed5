import { Migration } from '@mikro-orm/migrations';

/** Which abandoned moves have something to remove on the server of their tenant; until now told by how many lines they had left. */
export class Control0013AwaitedReleases extends Migration {
  override up(): void {
    this.addSql(/* sql */ `
      alter table "tenant_moves" add column "awaits_release" boolean not null default false;
      update "tenant_moves" set "awaits_release" = true where jsonb_array_length("left_behind") = 2;
    `);
  }
}
