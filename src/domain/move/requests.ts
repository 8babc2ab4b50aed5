/** Asking for a tenant to be moved, and for the end that its move is to come to. */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import pg from 'pg';
import { nowDate } from '../../clock.ts';
import type { Services } from '../../context.ts';
import { LOCKS } from '../../db/locks.ts';
import { TENANT_SCHEMA_VERSION } from '../../db/migrations/tenant/index.ts';
import { readinessOf } from '../../db/replication.ts';
import type { TenantCluster } from '../../db/tenant-cluster.ts';
import { DatabaseServer, ServerState } from '../../entities/control/database-server.ts';
import { Organization, TenantStatus } from '../../entities/control/organization.ts';
import { StepState } from '../../entities/control/provisioning-run.ts';
import { TenantDatabase } from '../../entities/control/tenant-database.ts';
import { ENDED_MOVES, INBOUND_MOVE, MoveState, type MoveStep, TenantMove } from '../../entities/control/tenant-move.ts';
import { AppError, invalid, notFound } from '../../errors.ts';
import { type AuditSource, audit } from '../audit.ts';
import type { PlatformAction } from '../audit-actions.ts';
import { refuseUnderWay } from '../offboarding/runs.ts';
import { firstSteps, stepsTowards } from './plan.ts';
import { type Seen, unready } from './readiness.ts';
import { isItself } from './standing.ts';
import { tellOfMove } from './told.ts';

const conflict = (message: string) => new AppError('conflict', { message });

/** Who asks, and with what. */
export interface Asker extends AuditSource {
  readonly em: EntityManager;
  readonly services: Pick<Services, 'servers' | 'queue'>;
}

export interface MoveRequest {
  tenantId: string;
  serverId: string;
  maxReadOnlySeconds?: number | null;
}

/** Enough for comparing some gigabytes. */
const READ_ONLY_SECONDS = 20;
const ASKING_MS = 5000;

/**
 * Moves a tenant to another server, in the background; one whose switch was given up is tried again.
 *
 * @throws {AppError} not_found; tenant_archived; tenant_not_ready; conflict for a server that cannot take it, and while it is moved already.
 */
export async function moveTenant(asker: Asker, { tenantId, serverId, maxReadOnlySeconds }: MoveRequest): Promise<void> {
  const { serverId: sourceId } = await placeOf(asker.em, tenantId);
  const server = await asker.em.findOne(DatabaseServer, serverId);
  if (!server) throw notFound('database server');
  if (sourceId === serverId) throw conflict(`The organization is on server ${server.name} already.`);
  // Asked outside of the transaction: they may take their time.
  const [source, target] = await Promise.all(
    [sourceId, serverId].map(async (id) => look(await asker.services.servers.byId(id))),
  );
  const reason = unready(source!, target!);
  if (reason) throw conflict(reason);
  await asker.em.transactional(async (em) => {
    const org = await em.findOne(Organization, tenantId, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
    if (!org) throw notFound('tenant');
    if (org.archivedAt) throw new AppError('tenant_archived');
    await refuseUnderWay(em, tenantId);
    // Restored on another one, or moved and back, since it was asked where it is.
    const present = await em.findOneOrFail(TenantDatabase, { orgId: tenantId }, { refresh: true });
    if (present.serverId !== sourceId) {
      throw conflict('The organization has come to another server meanwhile: look where it is, and ask again.');
    }
    if (org.schemaVersion !== TENANT_SCHEMA_VERSION) {
      throw conflict(
        `The organization is at schema version ${org.schemaVersion}, and is moved at ${TENANT_SCHEMA_VERSION}, the newest: bring it up to ` +
          'date first (npm run tenants -- upgrade).',
      );
    }
    await refuseWithoutRoom(em, serverId, tenantId);
    const former = await em.findOne(TenantMove, { orgId: tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const again = former?.state === MoveState.FAILED && former.targetId === serverId;
    if (former && !again) refuseWhile(former);
    const seconds = maxReadOnlySeconds ?? former?.maxReadOnlySeconds ?? READ_ONLY_SECONDS;
    const move = former ?? em.create(TenantMove, blank(tenantId, sourceId, serverId, seconds));
    if (former && !again)
      em.assign(former, { ...blank(tenantId, sourceId, serverId, seconds), attempt: former.attempt });
    Object.assign(move, { state: MoveState.COPYING, failedSwitches: 0, maxReadOnlySeconds: seconds });
    em.persist(move);
    await go(asker, em, move, 'tenant.move', { server: source!.name }, { server: server.name });
  });
}

const blank = (orgId: string, sourceId: string, targetId: string, maxReadOnlySeconds: number) => ({
  orgId,
  sourceId,
  targetId,
  state: MoveState.COPYING,
  attempt: 0,
  workerSession: null,
  steps: firstSteps(),
  progress: { tables: 0, tablesCopied: 0, bytes: 0, bytesCopied: 0 },
  failedSwitches: 0,
  maxReadOnlySeconds,
  readOnlySince: null,
  readOnlyMs: null,
  abandonedFor: null,
  leftBehind: null,
  awaitsRelease: false,
  createdAt: nowDate(),
  finishedAt: null,
});

/** @throws {AppError} not_found, tenant_not_ready */
async function placeOf(em: EntityManager, tenantId: string): Promise<TenantDatabase> {
  const org = await em.findOne(Organization, tenantId);
  if (!org) throw notFound('tenant');
  const place = await em.findOne(TenantDatabase, { orgId: tenantId });
  if (org.status === TenantStatus.PROVISIONING || !place) throw new AppError('tenant_not_ready', { retryAfter: 2 });
  return place;
}

async function look(server: TenantCluster): Promise<Seen> {
  try {
    return { name: server.name, readiness: await asking(server, readinessOf) };
  } catch (error) {
    const message = `Server ${server.name} cannot be reached; nothing has been done.`;
    throw new AppError('conflict', { message, cause: error });
  }
}

async function asking<T>({ url }: TenantCluster, question: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ASKING_MS, query_timeout: ASKING_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    return await question(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Taking turns with those who make tenants: none takes the last place of another. A move that is tried again has its place already. */
async function refuseWithoutRoom(em: EntityManager, serverId: string, tenantId: string): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(?, 0)', [LOCKS.placement]);
  const server = await em.findOne(DatabaseServer, serverId, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
  if (!server) throw notFound('database server');
  if (server.state !== ServerState.OPEN) {
    throw conflict(`Server ${server.name} is ${server.state}: it takes no tenants.`);
  }
  const [{ taken }] = await em.execute<[{ taken: number }]>(
    `select (select count(*)::int from tenant_databases where server_id = ?)
          + (select count(*)::int from tenant_moves where target_id = ? and org_id <> ? and ${INBOUND_MOVE}) as taken`,
    [serverId, serverId, tenantId],
  );
  if (taken >= server.capacity) {
    throw conflict(`Server ${server.name} is full: it has ${taken} of at most ${server.capacity} tenants.`);
  }
}

const WHY_NOT: Partial<Record<MoveState, string>> = {
  [MoveState.SWITCHED]: 'The organization has been moved: finish that move, or undo it, first.',
  [MoveState.FAILED]: 'A move of the organization has failed: cancel it, or try it again, first.',
};

function refuseWhile({ state }: { state: MoveState }): void {
  if (ENDED_MOVES.includes(state)) return;
  throw conflict(
    WHY_NOT[state] ?? 'The organization is being moved to another server: wait until that has ended, or cancel it.',
  );
}

/** Ends, and the states from which a move may be sent towards them. */
const FROM: Partial<Record<MoveState, { from: MoveState[]; action: PlatformAction; otherwise: string }>> = {
  [MoveState.CANCELLING]: {
    from: [MoveState.COPYING, MoveState.FAILED, MoveState.CANCELLING],
    action: 'tenant.cancel_move',
    otherwise: 'A move can be cancelled until it is switched; after that it can be undone.',
  },
  [MoveState.UNDOING]: {
    from: [MoveState.SWITCHED, MoveState.UNDOING],
    action: 'tenant.undo_move',
    otherwise: 'A move can be undone when it has been switched, until it is finished.',
  },
  [MoveState.FINISHING]: {
    from: [MoveState.SWITCHED, MoveState.FINISHING],
    action: 'tenant.finish_move',
    otherwise: 'A move can be finished when it has been switched.',
  },
};

/** Sends a move towards its end; asking again is fine, and has it tried at once. @throws {AppError} not_found, conflict */
export async function endMove(
  asker: Asker,
  tenantId: string,
  end: MoveState.CANCELLING | MoveState.UNDOING | MoveState.FINISHING,
): Promise<void> {
  const { from, action, otherwise } = FROM[end]!;
  await asker.em.transactional(async (em) => {
    if (!(await em.findOne(Organization, tenantId))) throw notFound('tenant');
    const move = await em.findOne(TenantMove, { orgId: tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!move) throw conflict('The organization is not being moved.');
    if (!from.includes(move.state)) throw conflict(otherwise);
    const before = { state: move.state };
    if (move.state !== end) {
      move.steps = stepsTowards(end, move.steps);
      Object.assign(move, { state: end, failedSwitches: 0 });
    }
    await go(asker, em, move, action, before, { state: end });
  });
}

/**
 * Ends a move without a server that does not answer, and may never again; one that has lost the tenant's database, or at whose address
 * there is another server by now, counts as such. The tenant stays where it is: before the switch at
 * the source, after it at the target. What cannot be removed is left, and named.
 *
 * @param slug that the caller means this tenant. @param reason for the audit log.
 * @throws {AppError} not_found, validation_failed, conflict
 */
export async function abandonMove(asker: Asker, tenantId: string, slug: string, reason: string): Promise<void> {
  const known = await unfinished(asker.em.fork(), tenantId, slug);
  const { servers } = asker.services;
  const both = await Promise.all([known.sourceId, known.targetId].map((id) => servers.byId(id)));
  const place = await placeOf(asker.em.fork(), tenantId);
  const answers = await Promise.all(
    both.map((server) => {
      const database = server.id === place.serverId ? server.nameFor(tenantId) : undefined;
      return asking(server, (client) => isItself(asker.em, client, server.id, database)).catch(() => false);
    }),
  );
  if (answers.every(Boolean)) {
    throw conflict('Both servers of this move answer: finish, undo or cancel it.');
  }
  const away = both.filter((_, index) => !answers[index]).map(({ name }) => name);
  await asker.em.transactional(async (em) => {
    const move = await unfinished(em, tenantId, slug, LockMode.PESSIMISTIC_WRITE);
    const { serverId } = await em.findOneOrFail(TenantDatabase, { orgId: tenantId });
    const before = { state: move.state };
    const state = serverId === move.targetId ? MoveState.FINISHING : MoveState.CANCELLING;
    move.steps = stepsTowards(state, move.steps.map(cutShort));
    // Whoever works on it, and may wait for that server, changes nothing more.
    Object.assign(move, { state, abandonedFor: reason, attempt: move.attempt + 1, workerSession: null });
    await go(asker, em, move, 'tenant.abandon_move', before, { state, reason, away });
  });
}

const cutShort = (step: MoveStep): MoveStep =>
  step.state === StepState.RUNNING
    ? { ...step, state: StepState.FAILED, finishedAt: nowDate().toISOString(), error: 'The move was abandoned.' }
    : step;

/** @throws {AppError} not_found, validation_failed, conflict */
async function unfinished(
  em: EntityManager,
  tenantId: string,
  slug: string,
  lockMode = LockMode.NONE,
): Promise<TenantMove> {
  const org = await em.findOne(Organization, tenantId);
  if (!org) throw notFound('tenant');
  if (slug !== org.slug) throw invalid('slug', 'is not the slug of this organization');
  const move = await em.findOne(TenantMove, { orgId: tenantId }, { lockMode });
  if (!move || ENDED_MOVES.includes(move.state)) throw conflict('The organization is not being moved.');
  return move;
}

async function go(
  asker: Asker,
  em: EntityManager,
  move: TenantMove,
  action: PlatformAction,
  before: object,
  after: object,
) {
  const { orgId } = move;
  await em.flush();
  await asker.services.queue.runNow(em, 'tenant.move', orgId);
  audit(em, asker, { action, orgId, target: { type: 'tenant', id: orgId }, before, after });
  await tellOfMove(em, move);
}
