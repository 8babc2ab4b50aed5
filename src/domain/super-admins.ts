/** The accounts of the people who run the platform. */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { newId, nowDate } from '../clock.ts';
import { type Context, superAdmin } from '../context.ts';
import { type ControlDatabase, query } from '../db/control.ts';
import { Session } from '../entities/control/session.ts';
import { SuperAdmin } from '../entities/control/super-admin.ts';
import { AppError, notFound } from '../errors.ts';
import { audit, auditFailure, bySystem } from './audit.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { revoke } from './revocations.ts';
import { emailKey } from './rules.ts';
import { openSession } from './sessions.ts';
import { LIFETIME } from './tokens.ts';

/** A super admin as it is read. */
export type SuperAdminRow = Pick<SuperAdmin, 'id' | 'email' | 'name'> & { createdAt: string | Date };

const adminsPage = query<SuperAdminRow>(
  'super_admins',
  `select id, email, name, created_at as "createdAt" from super_admins
    where ($1::uuid is null or id > $1) order by id limit $2`,
);

const findByEmail = query<Pick<SuperAdmin, 'id' | 'email' | 'passwordHash' | 'tokenVersion'>>(
  'super_admin_by_email',
  `select id, email, password_hash as "passwordHash", token_version as "tokenVersion"
     from super_admins where lower(email) = $1`,
);

const REALM = 'platform';

/** @throws {AppError} unauthenticated, rate_limited */
export async function superAdminLogin(ctx: Context, email: string, password: string): Promise<string> {
  const { throttle, tokens } = ctx.services;
  const failed = (after?: object) =>
    auditFailure(ctx, { action: 'super_admin.login_failed', actor: { kind: 'anonymous', email }, after });
  const check = async () => {
    const [found] = await ctx.rows(findByEmail, [emailKey(email)]);
    return (await verifyPassword(found?.passwordHash, password)) ? found : undefined;
  };
  const refused = () => failed({ reason: 'rate_limited' });
  const admin = await throttle.attempt(REALM, email, ctx, check, refused);
  if (!admin) {
    await failed();
    throw new AppError('unauthenticated', { message: 'The e-mail address or the password is wrong.' });
  }
  const sessionId = await ctx.em.transactional(async (em) => {
    const { id } = openSession(em, ctx, { subjectId: admin.id, email: admin.email, seconds: LIFETIME.superAdmin });
    audit(em, ctx, {
      action: 'super_admin.login',
      actor: { kind: 'superAdmin', id: admin.id, email: admin.email },
      target: { type: 'super_admin', id: admin.id },
      after: { sessionId: id },
    });
    return id;
  });
  return tokens.forSuperAdmin(admin, sessionId);
}

/** In the order in which they were made. */
export function listSuperAdmins(ctx: Context, limit: number | null, after?: string | null): Promise<SuperAdminRow[]> {
  return ctx.rows(adminsPage, [after ?? null, limit]);
}

export interface NewSuperAdmin {
  email: string;
  name: string;
  password: string;
}

/**
 * The super admin who asks, as they stay until the commit: an account or an impersonation outlives nobody who was deleted, reset or
 * signed out while it was made.
 *
 * @throws {AppError} unauthenticated
 */
export async function stillSuperAdmin(em: EntityManager, ctx: Context): Promise<SuperAdmin> {
  const { id, sessionId } = superAdmin(ctx);
  const me = await em.findOne(SuperAdmin, id, { lockMode: LockMode.PESSIMISTIC_READ });
  // After the account, in the order in which a reset changes both.
  const session = await em.findOne(Session, sessionId, { lockMode: LockMode.PESSIMISTIC_READ });
  if (!me || session?.endedAt) throw new AppError('unauthenticated');
  return me;
}

/** @throws {AppError} email_taken, unauthenticated for somebody who is no more by then */
export async function createSuperAdmin(ctx: Context, input: NewSuperAdmin): Promise<SuperAdminRow> {
  const passwordHash = await hashPassword(input.password);
  return ctx.em.transactional(async (em) => {
    await stillSuperAdmin(em, ctx);
    const admin = addSuperAdmin(em, { ...input, passwordHash });
    audit(em, ctx, {
      action: 'super_admin.create',
      target: { type: 'super_admin', id: admin.id },
      after: { email: admin.email, name: admin.name },
    });
    return admin;
  });
}

function addSuperAdmin(
  em: EntityManager,
  { email, name, passwordHash }: Omit<NewSuperAdmin, 'password'> & { passwordHash: string },
) {
  const admin = em.create(SuperAdmin, {
    id: newId(),
    email,
    name,
    passwordHash,
    tokenVersion: 0,
    createdAt: nowDate(),
  });
  em.persist(admin);
  return admin;
}

/** @throws {AppError} cannot_delete_self, last_super_admin, not_found */
export async function deleteSuperAdmin(ctx: Context, id: string): Promise<string> {
  if (superAdmin(ctx).id === id) throw new AppError('cannot_delete_self');
  return ctx.em.transactional(async (em) => {
    // All rows, always in the same order: two super admins deleting each other then wait in turn, and the second finds
    // its own account gone.
    const admins = await em.findAll(SuperAdmin, { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { id: 'asc' } });
    const admin = admins.find((candidate) => candidate.id === id);
    if (!admin) throw notFound('super admin');
    if (admins.length === 1) throw new AppError('last_super_admin');
    if (!admins.some((candidate) => candidate.id === superAdmin(ctx).id)) throw new AppError('unauthenticated');
    em.remove(admin);
    audit(em, ctx, {
      action: 'super_admin.delete',
      target: { type: 'super_admin', id },
      before: { email: admin.email, name: admin.name },
    });
    await revoke(em, { subjectId: id, version: admin.tokenVersion + 1, reason: 'account_deleted' });
    return id;
  });
}

/** Also ends the account's tokens and impersonations. @throws {AppError} not_found */
export async function resetSuperAdminPassword(ctx: Context, id: string, newPassword: string): Promise<string> {
  const passwordHash = await hashPassword(newPassword);
  return ctx.em.transactional(async (em) => {
    const admin = await em.findOne(SuperAdmin, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!admin) throw notFound('super admin');
    admin.passwordHash = passwordHash;
    admin.tokenVersion += 1;
    audit(em, ctx, { action: 'super_admin.reset_password', target: { type: 'super_admin', id } });
    await revoke(em, { subjectId: id, version: admin.tokenVersion, reason: 'credentials_changed' });
    return id;
  });
}

/** Whether the first super admin's password is still the one it was made with, and nobody has signed in since. */
export async function awaitsFirstSignIn({ pool }: ControlDatabase, email: string, password: string): Promise<boolean> {
  const { rows } = await pool.query<{ signedIn: boolean; passwordHash: string | null }>(
    `select exists (select from audit_entries where action = 'super_admin.login') as "signedIn",
            (select password_hash from super_admins where email = $1) as "passwordHash"`,
    [email],
  );
  const { signedIn, passwordHash } = rows[0]!;
  return !signedIn && verifyPassword(passwordHash ?? undefined, password);
}

/** On an empty database. */
export async function ensureFirstSuperAdmin(em: EntityManager, email: string, password: string): Promise<void> {
  const { length } = await em.execute('select from super_admins limit 1');
  if (length > 0) return;
  const passwordHash = await hashPassword(password);
  await em.transactional(async (tx) => {
    const admin = addSuperAdmin(tx, { email, name: 'First super admin', passwordHash });
    audit(tx, bySystem, {
      action: 'super_admin.create',
      target: { type: 'super_admin', id: admin.id },
      after: { email },
    });
  });
}
