/** Structured logs on standard error, one JSON object a line, without secrets. */
import { types } from 'node:util';
import pino, { type Logger } from 'pino';

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

/** @param level as in `LOG_LEVEL` */
export function createLog(level: string): Logger {
  return pino(
    { level, timestamp: pino.stdTimeFunctions.isoTime, base: undefined, serializers: { err: errorFacts } },
    pino.destination({ fd: 2, sync: true }),
  );
}
