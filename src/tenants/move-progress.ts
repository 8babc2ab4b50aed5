/** Shows how a move goes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ConfigError } from '../config.ts';
import { LOCKS } from '../db/locks.ts';
import { MoveState, type TenantMove } from '../entities/control/tenant-move.ts';
import { bar } from '../progress-line.ts';

const LOOK_MS = 300;

type Shown = Pick<TenantMove, 'state' | 'steps' | 'progress' | 'readOnlyMs' | 'leftBehind'>;

/** In these nothing happens by itself. */
const RESTING: readonly MoveState[] = [
  MoveState.SWITCHED,
  MoveState.FINISHED,
  MoveState.UNDONE,
  MoveState.CANCELLED,
  MoveState.FAILED,
];

/** Shows how a move goes until nothing happens by itself any more. @throws {ConfigError} where there was none; the signal's reason. */
export async function followMove(
  pool: Pool,
  { id, slug }: { id: string; slug: string },
  signal: AbortSignal,
): Promise<Shown> {
  const show = liveLine();
  for (;;) {
    const { rows } = await pool.query<Shown & { workers: number }>(
      `select state, steps, progress, read_only_ms as "readOnlyMs", left_behind as "leftBehind",
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

function describe({ steps, progress: { bytes, bytesCopied, lagBytes } }: Shown): string {
  const step = steps.find(({ state }) => state !== 'done') ?? steps.at(-1)!;
  const done = steps.filter(({ state }) => state === 'done').length;
  const drawn = bytes > 0 ? bar(Math.min(bytes, bytesCopied), bytes) : bar(0, 1);
  const mb = (count: number) => (count / 1e6).toFixed(1);
  const lag = lagBytes ? `, ${mb(lagBytes)} MB behind` : '';
  const error = step.error ? `: ${step.error}` : '';
  return `${drawn} ${mb(bytesCopied)} of ${mb(bytes)} MB${lag}, step ${Math.min(done + 1, steps.length)} of ${steps.length} ${step.name}${error}`;
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

/** Says what came of it. */
export function tellOfEnd(slug: string, { state, readOnlyMs, steps, leftBehind }: Shown): void {
  if (leftBehind) {
    process.stdout.write(`The move of ${slug} is ended. What is left of it:\n`);
    for (const line of leftBehind) process.stdout.write(`- ${line}\n`);
    return;
  }
  const seconds =
    state === MoveState.SWITCHED && readOnlyMs ? ` It was not written for ${(readOnlyMs / 1000).toFixed(1)} s.` : '';
  process.stdout.write(`Tenant ${slug} ${SAID[state]}${seconds}\n`);
  const failed = steps.find(({ state: how }) => how === 'failed');
  if (failed) process.stdout.write(`${failed.name}: ${failed.error}\n`);
}
