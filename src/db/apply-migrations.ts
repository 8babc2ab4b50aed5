/** Brings a database to a version by its migrations alone, for what is restored as an older version had it. */
import { type Migration, Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { SESSION_OPTIONS } from './control.ts';

/** Applies those that the database lacks. @param url of the database. */
export async function applyMigrations(url: string, migrations: readonly (typeof Migration)[]): Promise<void> {
  const orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    logger: () => {},
    ensureDatabase: false,
    pool: { min: 0, max: 1 },
    driverOptions: { connectionString: url, options: SESSION_OPTIONS },
    migrations: { migrationsList: migrations as never, snapshot: false },
  });
  try {
    await orm.migrator.up();
  } finally {
    await orm.close(true);
  }
}
