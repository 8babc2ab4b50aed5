/** Further PostgreSQL servers for tenants' databases, each behind an entrance that can be shut. */
import type { Actor } from './actors.ts';
import { anotherServer } from './another-server.ts';
import { serverUrl, sql } from './database.ts';
import { type Entrance, entranceTo } from './entrance.ts';

export interface TenantServer {
  /** Of its maintenance database, through the entrance. */
  readonly url: string;
  /** Past the entrance. */
  readonly directUrl: string;
  readonly password: string;
  readonly entrance: Entrance;
  /** What an installation has there. */
  belongings(code: string): Promise<string[]>;
  remove(): Promise<void>;
}

export async function startTenantServer(): Promise<TenantServer> {
  const server = await anotherServer();
  const directUrl = serverUrl('postgres', server.url);
  const { entrance, url } = await entranceTo(directUrl);
  return {
    url,
    directUrl,
    password: decodeURIComponent(new URL(directUrl).password),
    entrance,
    async belongings(code) {
      const rows = await sql<{ name: string }>(
        directUrl,
        'select datname as name from pg_database where starts_with(datname, $1) union select rolname from pg_roles where starts_with(rolname, $1)',
        [`t_${code}`],
      );
      return rows.map(({ name }) => name).sort();
    },
    async remove() {
      await entrance.close();
      await server.remove();
    },
  };
}

/** Registers a server. @returns its id. */
export async function register(
  admin: Actor,
  name: string,
  { url }: Pick<TenantServer, 'url'>,
  more: Record<string, unknown> = {},
): Promise<string> {
  const { status, body } = await admin.rest('POST', '/api/super-admin/database-servers', {
    name,
    url,
    capacity: 100,
    ...more,
  });
  if (status !== 201) throw new Error(`registering failed: ${JSON.stringify(body)}`);
  return body.id;
}
