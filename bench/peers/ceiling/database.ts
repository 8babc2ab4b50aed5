import pg from 'pg';

// Instants and dates stay the text that they come as.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, String);
pg.types.setTypeParser(pg.types.builtins.DATE, String);

/** Connections are kept, and with them what was prepared. */
export const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 20,
  idleTimeoutMillis: 0,
  options: '-c timezone=UTC',
});

/** Rows of a statement that is prepared once per connection. */
export async function rows<Row>(name: string, text: string, values: unknown[]): Promise<Row[]> {
  return (await pool.query({ name, text, values })).rows as Row[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (text: string): boolean => UUID.test(text);
