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
/** So much waits for a reader that has stalled, in bytes; what comes after is dropped, and counted. */
const MOST_WAITING = 8 * 1024 * 1024;

/** @param level as in `LOG_LEVEL` @param withTraces whether lines name the trace that they belong to. */
export function createLog(level: string, destination?: DestinationStream, withTraces = false): Logger {
  const options = {
    level,
    ...(withTraces && { mixin: () => tracing?.ids() ?? {} }),
    timestamp: pino.stdTimeFunctions.isoTime,
    base: undefined,
    serializers: { err: errorFacts },
  };
  return destination ? pino(options, destination) : toStandardError(options);
}

/** Of a process that ends by itself nothing is lost: pino writes what is left. */
function toStandardError(options: LoggerOptions): Logger {
  const out = pino.destination({ fd: 2, sync: false, minLength: 8192, maxLength: MOST_WAITING });
  const log = pino(options, out);
  let dropped = 0;
  out.on('drop', () => dropped++);
  setInterval(() => {
    out.flush();
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    log.warn({ lines }, 'log lines were dropped: what reads standard error did not keep up');
    // There was no room for this one either.
    if (dropped > 0) dropped = lines;
  }, WAIT_MS).unref();
  return log;
}
