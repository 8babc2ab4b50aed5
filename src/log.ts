/** Structured logs on standard error, one JSON object a line, without secrets. */
import { types } from 'node:util';
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { tracing } from './telemetry/tracing.ts';

/** What is told of an error. Whole driver errors can hold the SQL text and its values. */
function errorFacts(error: unknown): object {
  if (!types.isNativeError(error)) return { message: String(error) };
  const { name, message, code, stack } = error as Error & { code?: string };
  const frames = stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim());
  const cause = types.isNativeError(error.cause) ? errorFacts(error.cause) : undefined;
  return { type: name, message: message.split('\n')[0], code, stack: frames, cause };
}

/** Lines wait this long to be written together: one by one they are a fifth of what a small request costs. */
const WAIT_MS = 100;
/** Unless there are so many of them, in bytes; and how many are written at once. */
const ENOUGH = 32 * 1024;
const MOST_AT_ONCE = 128 * 1024;
/** So much waits for a reader that has stalled, in bytes; what comes after is dropped, and counted. */
const MOST_WAITING = 8 * 1024 * 1024;
/** In characters. */
const GATHERED = 4096;

/** @param level as in `LOG_LEVEL` @param withTraces whether lines name the trace that they belong to. */
export function createLog(level: string, destination?: DestinationStream, withTraces = false): Logger {
  const options = { ...OPTIONS, level, ...(withTraces && { mixin: () => tracing?.ids() ?? {} }) };
  standardError ??= destination ? undefined : new StandardError();
  const stream = destination ?? standardError!;
  const log = pino(options, stream);
  if (!withTraces) plain.set(log, stream);
  return log;
}

/** Where lines go that say what they are given and nothing besides. */
const plain = new WeakMap<Logger, DestinationStream>();

/** What is said of a request that was answered. */
export interface RequestLine {
  requestId: string;
  /** The tenant that it was about. */
  orgId?: string;
  method: string;
  /** The route's template. */
  path: string;
  status: number;
  /** That it took, whole ones. */
  ms: number;
}

const { info: INFO } = pino.levels.values;
const json = (text: string) => JSON.stringify(text);

/** As `log.info(line, 'request')`: pino finds out anew of what kind each value is, and how each is named. */
export function logRequest(log: Logger, line: RequestLine): void {
  const stream = plain.get(log);
  if (!stream) {
    log.info(line, 'request');
    return;
  }
  if (!log.isLevelEnabled('info')) return;
  const { requestId, orgId, method, path, status, ms } = line;
  const org = orgId === undefined ? '' : `,"orgId":${json(orgId)}`;
  stream.write(
    `{"level":${INFO}${timestamp()},"requestId":${json(requestId)}${org},"method":${json(method)},"path":${json(path)},` +
      `"status":${status},"ms":${ms},"msg":"request"}\n`,
  );
}

let standardError: StandardError | undefined;

/** Written out once for all lines of a millisecond: at twenty thousand requests a second that is a quarter of what a line costs. */
function timestamp(): string {
  const now = Date.now();
  if (now !== stampedAt) {
    stampedAt = now;
    stamp = `,"time":"${new Date(now).toISOString()}"`;
  }
  return stamp;
}
let stampedAt = 0;
let stamp = '';

const OPTIONS: LoggerOptions = { timestamp, base: undefined, serializers: { err: errorFacts } };

/**
 * Standard error of this process. Lines are gathered before SonicBoom gets them, because it measures all that waits again for each of
 * them: with the stamp of above, a line costs 2.6 µs instead of 5.8. Of a process that ends by itself nothing is lost: pino writes
 * what is left.
 */
class StandardError implements DestinationStream {
  readonly #out = pino.destination({
    fd: 2,
    sync: false,
    minLength: ENOUGH,
    maxWrite: MOST_AT_ONCE,
    maxLength: MOST_WAITING,
  });
  readonly #log = pino(OPTIONS, this);
  #gathered = '';
  #dropped = 0;
  #ended = false;

  constructor() {
    this.#out.on('drop', (lines: string) => {
      this.#dropped += lines.split('\n').length - 1;
    });
    this.#out.on('close', () => {
      this.#ended = true;
    });
    setInterval(() => this.#flush(), WAIT_MS).unref();
    // Before pino does what it does then.
    process.prependListener('beforeExit', () => this.#handOver());
    process.prependListener('exit', () => this.#handOver());
  }

  write(line: string): void {
    this.#gathered += line;
    if (this.#gathered.length >= GATHERED) this.#handOver();
  }

  #handOver(): void {
    const lines = this.#gathered;
    this.#gathered = '';
    if (lines !== '' && !this.#ended) this.#out.write(lines);
  }

  #flush(): void {
    this.#handOver();
    this.#out.flush();
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#log.warn({ lines }, 'log lines were dropped: what reads standard error did not keep up');
    this.#handOver();
    // There was no room for this one either.
    if (this.#dropped > 0) this.#dropped = lines;
  }
}
