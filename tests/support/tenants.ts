/** Tenants and their people, brought into the state that a test needs. */
import { v7 as uuidv7 } from 'uuid';
import { hashPassword } from '../../src/domain/passwords.ts';
import { type Actor, agent, provision } from './actors.ts';
import type { TestApp } from './app.ts';
import { sql } from './database.ts';

export interface NewUser {
  email: string;
  fullName?: string;
  /** One of the system roles. */
  role?: string;
  password?: string;
}

/** Adds a user who can sign in. */
export async function addUser(app: TestApp, tenantId: string, user: NewUser): Promise<{ id: string; email: string }> {
  const { email, fullName = 'Some User', role = 'agent', password = 'a password' } = user;
  const id = uuidv7();
  await sql(
    app.databaseUrl,
    'insert into identities (id, org_id, email, password_hash, created_at) values ($1, $2, $3, $4, now())',
    [id, tenantId, email, await hashPassword(password)],
  );
  await app.services.tenants.rows(
    tenantId,
    {
      name: 'add_user',
      text: `insert into agents (id, email, full_name, role_id, created_at, updated_at)
             select $1, $2, $3, id, now(), now() from roles where name = $4`,
    },
    [id, email, fullName, role],
  );
  return { id, email };
}

/** A tenant whose hours go by this zone. @returns also its admin. */
export async function inZone(app: TestApp, root: Actor, slug: string, timezone: string) {
  const tenant = await provision(root, { slug });
  const admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
  await admin.rest('PUT', '/api/settings/timezone', { timezone });
  return [tenant, admin] as const;
}

/** From now on no tenant gets a database: each stays in provisioning, which keeps tests quick that need no more of it. */
export function holdProvisioning(app: TestApp): void {
  app.services.servers.home.createRole = async () => {
    throw new Error('a test holds provisioning back');
  };
}
