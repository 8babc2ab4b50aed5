/**
 * The move of a tenant as a durable run, as its provisioning is one: each step begins and ends with a commit in the control
 * database, and may be repeated; the attempt's number is the fence there, the worker's sessions are the fence on the servers.
 */
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { nowDate } from '../../clock.ts';
import { NoAnswerError, withDeadline } from '../../components/probe.ts';
import type { Services } from '../../context.ts';
import { DiskFull } from '../../db/disk-space.ts';
import { ServerAway } from '../../db/server-liveness.ts';
import { Organization } from '../../entities/control/organization.ts';
import { StepState } from '../../entities/control/provisioning-run.ts';
import { type MoveProgress, MoveState, type MoveStep, TenantMove } from '../../entities/control/tenant-move.ts';
import { isUnavailable } from '../../errors.ts';
import { TenantChange } from '../../live/event-log.ts';
import { FencedOff, HandedBack, StepFailure, type Worker } from '../durable-run.ts';
import { tellOfTenant } from '../tenant-events.ts';
import { catchUp, copy, createDatabase, prepare } from './copy-steps.ts';
import { isInWindow, isOpening, isSwitch, isUndo, nextStep } from './plan.ts';
import { removeSteps } from './remove-steps.ts';
import { MoveSessions } from './sessions.ts';
import type { Recorder, Step, StepContext } from './step.ts';
import { endReaders, giveWritesBack, outOfTime, switchSteps } from './switch-steps.ts';
import { tellOfMove } from './told.ts';

const STEPS: Record<string, Step> = {
  prepare,
  create_database: createDatabase,
  copy,
  catch_up: catchUp,
  ...switchSteps,
  ...removeSteps,
};
/** After so many switches that were given up, nobody is to be kept waiting again until a person has looked at it. */
const MOST_SWITCHES = 3;
const REPORT_MS = 1000;

/** @throws {FencedOff} {HandedBack} or the step's own error, after recording it. */
export async function runMove(services: Services, orgId: string, worker: Worker): Promise<void> {
  const run = new Run(services, orgId, worker);
  if (!(await run.claim())) return;
  try {
    for (let step = await run.begin(); step; step = await run.begin()) await run.work(step);
  } finally {
    await run.sessions.close();
  }
}

class Run {
  readonly #services: Services;
  readonly #orgId: string;
  readonly #worker: Worker;
  #attempt = 0;
  #move!: TenantMove;
  /** Newer than what is written down. */
  #progress!: MoveProgress;
  /** By the control database's clock, at a moment of this process's own. */
  #readOnly?: { ms: number; at: number };
  #reportedAt = 0;
  sessions!: MoveSessions;

  constructor(services: Services, orgId: string, worker: Worker) {
    this.#services = services;
    this.#orgId = orgId;
    this.#worker = worker;
  }

  /** @returns false where there is nothing to do. */
  async claim(): Promise<boolean> {
    const claimed = await this.#inTurn((_em, move) => {
      if (!nextStep(move)) return false;
      move.attempt += 1;
      move.steps = windowAnew(move);
      move.workerSession = this.#worker.session;
      this.#attempt = move.attempt;
      this.#progress = { ...move.progress };
      return true;
    }, false);
    const number = this.#attempt;
    this.sessions = new MoveSessions({ orgId: this.#orgId, number, check: () => this.#check() });
    return claimed === true;
  }

  /** A transaction that happens only while this attempt is the newest. */
  #inTurn<T>(body: (em: EntityManager, move: TenantMove) => Promise<T> | T, isClaimed = true): Promise<T | undefined> {
    return this.#services.control.orm.em.fork().transactional(async (em) => {
      const move = await em.findOne(TenantMove, { orgId: this.#orgId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (isClaimed && move?.attempt !== this.#attempt) throw new FencedOff();
      if (!move) return undefined;
      const result = await body(em, move);
      await em.flush();
      const [{ ms }] = await em.execute<[{ ms: number | null }]>(
        'select (extract(epoch from now() - read_only_since) * 1000)::float8 as ms from tenant_moves where org_id = ?',
        [this.#orgId],
      );
      this.#readOnly = ms === null ? undefined : { ms, at: performance.now() };
      this.#move = move;
      return result;
    });
  }

  async #check(): Promise<void> {
    const { rows } = await this.#services.control.pool.query<{ attempt: number }>(
      'select attempt from tenant_moves where org_id = $1',
      [this.#orgId],
    );
    if (rows[0]?.attempt !== this.#attempt) throw new FencedOff();
  }

  /** @returns the step that was begun; undefined when the move is where it was to come to. @throws {HandedBack} */
  async begin(): Promise<string | undefined> {
    // Within the window it goes on as long as it can: the tenant waits.
    if (this.#worker.signal.aborted && !this.#readOnly) throw new HandedBack();
    return this.#inTurn(async (em, move) => {
      const step = nextStep(move);
      if (!step) {
        move.workerSession = null;
        return undefined;
      }
      move.steps = changed(move.steps, step.name, {
        state: StepState.RUNNING,
        attempt: step.attempt + 1,
        startedAt: nowDate().toISOString(),
        finishedAt: null,
        error: null,
      });
      if (isInWindow(step.name) && !move.readOnlySince) {
        if (!isUndo(step.name)) move.state = MoveState.SWITCHING;
        move.readOnlySince = await now(em);
      }
      await tellOfMove(em, move);
      return step.name;
    });
  }

  async work(name: string): Promise<void> {
    const context = await this.#context();
    let record: Recorder | undefined;
    try {
      record = await whileBothAnswer(context, name, () =>
        isInWindow(name) ? withinWindow(context, STEPS[name]!) : STEPS[name]!(context),
      );
    } catch (error) {
      if (error instanceof FencedOff || error instanceof HandedBack) throw error;
      await this.#fail(context, name, error);
      throw error;
    }
    await this.#inTurn(async (em, move) => {
      move.progress = { ...this.#progress };
      await record?.(em, move);
      move.steps = changed(move.steps, name, { state: StepState.DONE, finishedAt: nowDate().toISOString() });
      if (isOpening(name)) await endWindow(em, move);
      if (isSwitch(name))
        await tellOfTenant(em, TenantChange.UPDATED, await em.findOneOrFail(Organization, move.orgId));
      await tellOfMove(em, move);
    });
  }

  async #context(): Promise<StepContext> {
    const { servers } = this.#services;
    const { sourceId, targetId, maxReadOnlySeconds, abandonedFor, createdAt } = this.#move;
    const [source, target] = await Promise.all([servers.byId(sourceId), servers.byId(targetId)]);
    return {
      services: this.#services,
      orgId: this.#orgId,
      askedAt: createdAt,
      name: source.nameFor(this.#orgId),
      source,
      target,
      sessions: this.sessions,
      signal: this.#worker.signal,
      maxReadOnlyMs: maxReadOnlySeconds * 1000,
      isAbandoned: abandonedFor != null,
      readOnlyMs: () => (this.#readOnly ? this.#readOnly.ms + performance.now() - this.#readOnly.at : 0),
      announce: async () => {
        await this.#inTurn(tellOfMove);
      },
      report: async (progress) => {
        Object.assign(this.#progress, progress);
        if (performance.now() - this.#reportedAt < REPORT_MS) return;
        this.#reportedAt = performance.now();
        await this.#inTurn((em, move) => {
          move.progress = { ...this.#progress };
          return tellOfMove(em, move);
        });
      },
    };
  }

  /** Lets writes go on where the step has kept them back, and records why it failed. */
  async #fail(context: StepContext, name: string, error: unknown): Promise<void> {
    const goesOn =
      isInWindow(name) &&
      (await giveWritesBack(context, name).then(
        () => true,
        () => false,
      ));
    await this.#inTurn(async (em, move) => {
      const reason = reasonOf(error);
      move.workerSession = null;
      move.steps = changed(move.steps, name, {
        state: StepState.FAILED,
        finishedAt: nowDate().toISOString(),
        error: reason,
      });
      if (goesOn) this.#giveUpSwitch(move);
      await this.#services.queue.retryLater(em, this.#worker.job, reason);
      await tellOfMove(em, move);
    });
    // A pooler's would go on; where it fails, they end when they have been at rest for long.
    if (goesOn) await endReaders(context, name).catch(() => {});
  }

  #giveUpSwitch(move: TenantMove): void {
    move.readOnlySince = null;
    move.failedSwitches += 1;
    const wayBack = move.state === MoveState.UNDOING;
    if (move.failedSwitches >= MOST_SWITCHES) move.state = wayBack ? MoveState.SWITCHED : MoveState.FAILED;
    else if (!wayBack) move.state = MoveState.COPYING;
    // The next switch begins anew; what is behind a way back stays behind it.
    const begins = ({ name }: MoveStep) =>
      (isInWindow(name) && isUndo(name) === wayBack) || (name === 'catch_up' && !wayBack);
    move.steps = move.steps.map((step) => (begins(step) ? undone(step) : step));
  }
}

const undone = (step: MoveStep): MoveStep =>
  step.state === StepState.DONE ? { ...step, state: StepState.PENDING } : step;

/**
 * Of a worker that takes up what another has left within the window: that one may have given writes back before it could say so, and
 * what it compared may have been written since.
 */
function windowAnew(move: TenantMove): MoveStep[] {
  const next = nextStep(move)!.name;
  if (!isInWindow(next) && !isSwitch(next)) return move.steps;
  return move.steps.map((step) => (isInWindow(step.name) && isUndo(step.name) === isUndo(next) ? undone(step) : step));
}

/** Nobody waits for a server that is away, but in the steps that go on without one. @throws {ServerAway} */
async function whileBothAnswer<T>(context: StepContext, name: string, work: () => Promise<T>): Promise<T> {
  const { source, target, sessions, isAbandoned } = context;
  if (isAbandoned || isSwitch(name) || isOpening(name)) return work();
  try {
    return await source.whileUp(() => target.whileUp(work));
  } catch (error) {
    if (error instanceof ServerAway) sessions.abandon();
    throw error;
  }
}

/** @throws {StepFailure} when the time is up in which the tenant may not be written, also where a server does not answer. */
async function withinWindow(context: StepContext, step: Step): Promise<Recorder | undefined> {
  const { maxReadOnlyMs, readOnlyMs, sessions } = context;
  try {
    return await withDeadline(Math.max(1, maxReadOnlyMs - readOnlyMs()), () => step(context));
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    sessions.abandon();
    throw outOfTime(maxReadOnlyMs);
  }
}

const changed = (steps: MoveStep[], name: string, change: Partial<MoveStep>): MoveStep[] =>
  steps.map((step) => (step.name === name ? { ...step, ...change } : step));

async function now(em: EntityManager): Promise<Date> {
  const [{ now }] = await em.execute<[{ now: string | Date }]>('select now() as now');
  return new Date(now);
}

async function endWindow(em: EntityManager, move: TenantMove): Promise<void> {
  move.readOnlyMs = (await now(em)).getTime() - new Date(move.readOnlySince!).getTime();
  move.readOnlySince = null;
  move.failedSwitches = 0;
}

function reasonOf(error: unknown): string {
  if (error instanceof StepFailure || error instanceof DiskFull) return error.message;
  if (error instanceof ServerAway) {
    return `Server ${error.server} is away: this goes on when it is back. If it is gone for good, abandon the move.`;
  }
  if (isUnavailable(error)) return 'A database server could not be reached.';
  return 'An unexpected error; the log of the gateway names it.';
}
