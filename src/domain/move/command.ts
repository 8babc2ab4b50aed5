/** A move as an operator asks for it at a terminal, and follows it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ConfigError } from '../../config.ts';
import { openControl } from '../../db/control.ts';
import { DatabaseServers } from '../../db/database-servers.ts';
import { LOCKS } from '../../db/locks.ts';
import { Queue } from '../../db/queue.ts';
import type { Keys } from '../../db/secrets.ts';
import { MoveState, type TenantMove } from '../../entities/control/tenant-move.ts';
import { AppError } from '../../errors.ts';
import { createLog } from '../../log.ts';
import { bySystem } from '../audit.ts';
import { installationCode } from '../installation.ts';
import { type Asker, endMove, moveTenant } from './requests.ts';

export type MoveVerb = 'watch' | 'undo' | 'cancel' | 'finish' | { to: string; seconds?: number; finish: boolean };

export interface MoveCommand {
  /** Of the control-plane database. */
  databaseUrl: string;
  keys: Keys;
  /** Slug or id. */
  tenant: string;
  verb: MoveVerb;
  signal: AbortSignal;
}

const LOOK_MS = 300;

const ENDS = { undo: MoveState.UNDOING, cancel: MoveState.CANCELLING, finish: MoveState.FINISHING } as const;
/** Where the move is to come to by a command. */
const REACHED = { undo: MoveState.UNDONE, cancel: MoveState.CANCELLED, finish: MoveState.FINISHED } as const;

/** @returns the exit code. @throws {ConfigError} for what cannot be done. */
export async function moveByCommand({ databaseUrl, keys, tenant, verb, signal }: MoveCommand): Promise<number> {
  const log = createLog('silent');
  const control = await openControl(databaseUrl, log, 4);
  const queue = new Queue(databaseUrl, log, false);
  const code = await installationCode(control.orm.em.fork());
  const servers = await DatabaseServers.open({ control, keys, code, log });
  try {
    await queue.start();
    const found = await control.pool.query<{ id: string; slug: string }>(
      'select id, slug from organizations where slug = $1 or id::text = $1',
      [tenant],
    );
    const [org] = found.rows;
    if (!org) throw new ConfigError(`There is no tenant ${tenant}.`);
    const asker = (): Asker => ({ ...bySystem, em: control.orm.em.fork(), services: { servers, queue } });
    await refusals(async () => {
      if (typeof verb === 'object') {
        const serverId = servers.all().find(({ name }) => name.toLowerCase() === verb.to.toLowerCase())?.id;
        if (!serverId) throw new ConfigError(`There is no database server ${verb.to}.`);
        await moveTenant(asker(), { tenantId: org.id, serverId, maxReadOnlySeconds: verb.seconds });
      } else if (verb !== 'watch') await endMove(asker(), org.id, ENDS[verb]);
    });
    const watch = () => follow(control.pool, org, signal);
    let ended = await watch();
    if (typeof verb === 'object' && verb.finish && ended.state === MoveState.SWITCHED) {
      await refusals(() => endMove(asker(), org.id, MoveState.FINISHING));
      ended = await watch();
    }
    tell(org.slug, ended);
    const wanted = typeof verb === 'string' && verb !== 'watch' ? REACHED[verb] : ended.state;
    return ended.state === wanted && ended.state !== MoveState.FAILED ? 0 : 1;
  } finally {
    await queue.stop(1000);
    await servers.close();
    await control.close();
  }
}

async function refusals(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError) throw new ConfigError(error.message);
    throw error;
  }
}

type Shown = Pick<TenantMove, 'state' | 'steps' | 'progress' | 'readOnlyMs'>;

/** In these nothing happens by itself. */
const RESTING: readonly MoveState[] = [
  MoveState.SWITCHED,
  MoveState.FINISHED,
  MoveState.UNDONE,
  MoveState.CANCELLED,
  MoveState.FAILED,
];

async function follow(pool: Pool, { id, slug }: { id: string; slug: string }, signal: AbortSignal): Promise<Shown> {
  const show = liveLine();
  for (;;) {
    const { rows } = await pool.query<Shown & { workers: number }>(
      `select state, steps, progress, read_only_ms as "readOnlyMs",
              (select count(*)::int from pg_locks where locktype = 'advisory' and classid = ${LOCKS.worker} and granted
                  and database = (select oid from pg_database where datname = current_database())) as workers
         from tenant_moves where org_id = $1`,
      [id],
    );
    const [move] = rows;
    if (!move) throw new ConfigError(`Tenant ${slug} has never been moved.`);
    const rests = RESTING.includes(move.state) && !move.steps.some(({ state }) => state === 'running');
    show(move.workers === 0 ? 'no gateway is running: start one, it goes on by itself' : describe(move), rests);
    if (rests) return move;
    if (signal.aborted) {
      process.stderr.write(
        `\nThe move goes on. To see it again: npm run tenants -- move ${slug}; to call it off: --cancel\n`,
      );
      signal.throwIfAborted();
    }
    await sleep(LOOK_MS);
  }
}

const BAR = 24;

function describe({ steps, progress: { bytes, bytesCopied, lagBytes } }: Shown): string {
  const step = steps.find(({ state }) => state !== 'done') ?? steps.at(-1)!;
  const done = steps.filter(({ state }) => state === 'done').length;
  const share = bytes > 0 ? Math.min(1, bytesCopied / bytes) : 0;
  const filled = Math.round(share * BAR);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}]`;
  const mb = (count: number) => (count / 1e6).toFixed(1);
  const lag = lagBytes ? `, ${mb(lagBytes)} MB behind` : '';
  const error = step.error ? `: ${step.error}` : '';
  return `${bar} ${mb(bytesCopied)} of ${mb(bytes)} MB${lag}, step ${Math.min(done + 1, steps.length)} of ${steps.length} ${step.name}${error}`;
}

/** One line that changes, at a terminal; elsewhere a line for each change. */
function liveLine(): (text: string, last: boolean) => void {
  let former = '';
  return (text, last) => {
    if (process.stdout.isTTY)
      process.stdout.write(`\r\u001b[2K${text.slice(0, (process.stdout.columns ?? 80) - 1)}${last ? '\n' : ''}`);
    else if (text !== former) process.stdout.write(`${text}\n`);
    former = text;
  };
}

const SAID: Partial<Record<MoveState, string>> = {
  [MoveState.SWITCHED]: 'is moved. The former database follows: --finish drops it, --undo moves the tenant back.',
  [MoveState.FINISHED]: 'is moved; nothing is left on the former server.',
  [MoveState.UNDONE]: 'is back where it was; nothing is left on the other server.',
  [MoveState.CANCELLED]: 'has stayed where it was; nothing is left on the other server.',
  [MoveState.FAILED]:
    'has stayed where it was: the move was given up. The same command tries again, --cancel removes what was made.',
};

function tell(slug: string, { state, readOnlyMs, steps }: Shown): void {
  const seconds =
    state === MoveState.SWITCHED && readOnlyMs ? ` It was not written for ${(readOnlyMs / 1000).toFixed(1)} s.` : '';
  process.stdout.write(`Tenant ${slug} ${SAID[state]}${seconds}\n`);
  const failed = steps.find(({ state: how }) => how === 'failed');
  if (failed) process.stdout.write(`${failed.name}: ${failed.error}\n`);
}
