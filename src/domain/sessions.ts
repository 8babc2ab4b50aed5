/** Sessions: what signing in opens, what each token names, and what can be ended one by one. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, nowDate, nowMs } from '../clock.ts';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { Session } from '../entities/control/session.ts';
import { AppError, notFound } from '../errors.ts';
import { audit } from './audit.ts';
import type { PlatformAction } from './audit-actions.ts';
import { revokeAll } from './revocations.ts';
import { type Impersonator, LIFETIME, LONGEST_SESSION } from './tokens.ts';

export interface NewSession {
  subjectId: string;
  email: string;
  orgId?: string;
  /** Until its first token ends. */
  seconds: number;
  impersonator?: Impersonator;
  reason?: string | null;
  readOnly?: boolean;
}

/** Longer ones say no more. */
const USER_AGENT_LENGTH = 300;

/** Adds the session to the transaction that signs somebody in. */
export function openSession(em: EntityManager, ctx: Context, wanted: NewSession): Session {
  const { subjectId, email, orgId, seconds, impersonator, reason, readOnly } = wanted;
  const now = nowDate();
  const session = em.create(Session, {
    id: newId(),
    subjectId,
    email,
    orgId: orgId ?? null,
    impersonatorId: impersonator?.id ?? null,
    impersonatorEmail: impersonator?.email ?? null,
    reason: reason || null,
    readOnly: readOnly ?? false,
    address: ctx.address,
    userAgent: ctx.userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + seconds * 1000),
  });
  em.persist(session);
  return session;
}

/** A session as it is read. */
export type SessionRow = Omit<Session, 'createdAt' | 'lastUsedAt' | 'expiresAt' | 'endedAt'> & {
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
};

const COLUMNS = `id, subject_id as "subjectId", email, org_id as "orgId", impersonator_id as "impersonatorId",
  impersonator_email as "impersonatorEmail", reason, read_only as "readOnly", address, user_agent as "userAgent",
  created_at as "createdAt", last_used_at as "lastUsedAt", expires_at as "expiresAt"`;
const LIVE = 'ended_at is null and expires_at > now()';

const sessionsOf = query<SessionRow>(
  'sessions_of',
  `select ${COLUMNS} from sessions where subject_id = $1 and impersonator_id is null and ${LIVE} order by id`,
);
const impersonationsPage = query<SessionRow>(
  'impersonations',
  `select ${COLUMNS} from sessions
    where impersonator_id is not null and ${LIVE} and ($1::uuid is null or id > $1) order by id limit $2`,
);

/** The caller's own, oldest first. Who impersonates them is in the activity log. */
export function listSessions(ctx: Context): Promise<SessionRow[]> {
  return ctx.rows(sessionsOf, [ctx.caller.id]);
}

/** All that are live, oldest first. */
export function listImpersonations(ctx: Context, limit: number | null, after?: string | null): Promise<SessionRow[]> {
  return ctx.rows(impersonationsPage, [after ?? null, limit]);
}

/** Ends the session of the token at hand; that token is dead everywhere within a second. */
export function logout(ctx: Context): Promise<string> {
  const id = sessionOf(ctx);
  const { caller } = ctx;
  const impersonated = caller.kind === 'agent' && caller.impersonator;
  ctx.setCookie(undefined, 0);
  return ctx.em.transactional((em) => end(em, ctx, id, impersonated ? 'impersonation.end' : 'session.end'));
}

/** Ends one of the caller's own sessions. @throws {AppError} not_found for anybody else's as well. */
export function endSession(ctx: Context, id: string): Promise<string> {
  const where = { id, subjectId: ctx.caller.id, impersonatorId: null };
  return ctx.em.transactional(async (em) => {
    if (!(await em.findOne(Session, { ...where, ...live() }))) throw notFound('session');
    return end(em, ctx, id, 'session.end');
  });
}

/** @throws {AppError} not_found for one that has ended. */
export function endImpersonation(ctx: Context, id: string): Promise<string> {
  return ctx.em.transactional(async (em) => {
    const session = await em.findOne(Session, { id, impersonatorId: { $ne: null }, ...live() });
    if (!session) throw notFound('impersonation');
    return end(em, ctx, id, 'impersonation.end', session.orgId);
  });
}

/** Ends all of the caller's sessions but the one that asks. @returns how many. */
export function endOtherSessions(ctx: Context): Promise<number> {
  const own = sessionOf(ctx);
  const where = { subjectId: ctx.caller.id, impersonatorId: null, id: { $ne: own } };
  return ctx.em.transactional(async (em) => {
    const others = await em.find(Session, { ...where, ...live() }, { fields: ['id'] });
    if (others.length === 0) return 0;
    audit(em, ctx, { action: 'session.end_others', target: target(own), after: { ended: others.length } });
    await revokeAll(em, others.map(signedOut));
    return others.length;
  });
}

async function end(em: EntityManager, ctx: Context, id: string, action: PlatformAction, orgId?: string | null) {
  audit(em, ctx, { action, orgId: orgId ?? undefined, target: target(id) });
  await revokeAll(em, [signedOut({ id })]);
  return id;
}

const signedOut = ({ id }: { id: string }) => ({ subjectId: id, version: 1, reason: 'signed_out' }) as const;

/** Nobody works in more places at once; a program that signs in again and again would fill the list. */
const MOST_SESSIONS = 50;

/** Ends the oldest sessions of an account that has too many. */
export async function endOldest(em: EntityManager, subjectId: string): Promise<void> {
  const where = { subjectId, impersonatorId: null, ...live() };
  const beyond = await em.find(Session, where, { fields: ['id'], orderBy: { id: 'desc' }, offset: MOST_SESSIONS });
  await revokeAll(em, beyond.map(signedOut));
}

const live = () => ({ endedAt: null, expiresAt: { $gt: nowDate() } });

interface Standing {
  createdAt: string;
  accountVersion: number;
  organizationVersion: number;
  email: string;
}

const standingOf = query<Standing>(
  'session_standing',
  `select s.created_at as "createdAt", i.token_version as "accountVersion", o.token_version as "organizationVersion", i.email
     from sessions s join identities i on i.id = s.subject_id join organizations o on o.id = s.org_id
    where s.id = $1 and s.impersonator_id is null and s.ended_at is null and i.suspended_at is null
      and o.status <> 'suspended'`,
);

export interface FreshToken {
  token: string;
  expiresAt: Date;
}

/**
 * A new token for the session at hand, for 24 hours and at most until seven days after the sign-in. The old one goes on.
 *
 * @throws {AppError} unauthenticated for a session that has ended; forbidden for a super admin.
 */
export async function freshToken(ctx: Context): Promise<FreshToken> {
  const { caller } = ctx;
  if (caller.kind !== 'agent') {
    throw new AppError('forbidden', { message: "A super admin's sign-in is for eight hours: sign in anew." });
  }
  const id = sessionOf(ctx);
  const [standing] = await ctx.rows(standingOf, [id]);
  if (!standing) throw new AppError('unauthenticated');
  const last = Date.parse(standing.createdAt) + LONGEST_SESSION * 1000;
  const seconds = Math.floor(Math.min(LIFETIME.agent, (last - nowMs()) / 1000));
  if (seconds < 1) throw new AppError('unauthenticated', { message: 'Your sign-in is seven days old: sign in anew.' });
  const expiresAt = new Date(nowMs() + seconds * 1000);
  const token = ctx.services.tokens.forAgent(
    { ...caller, email: standing.email },
    { account: standing.accountVersion, organization: standing.organizationVersion },
    { id, seconds },
  );
  await ctx.em.transactional(async (em) => {
    await em.nativeUpdate(Session, { id }, { expiresAt });
    audit(em, ctx, { action: 'session.renew', target: target(id), after: { expiresAt } });
  });
  ctx.setCookie(token, seconds);
  return { token, expiresAt };
}

/** @throws {AppError} forbidden for an API key. */
function sessionOf(ctx: Context): string {
  const { sessionId } = ctx.caller;
  if (!sessionId) throw new AppError('forbidden', { message: 'An API key has no session: revoke the key instead.' });
  return sessionId;
}

const target = (id: string) => ({ type: 'session', id });
