/** A subscription that goes on after the last event that came, however often its socket is lost, or the gateway is in need. */
import type { Client, FormattedExecutionResult, Sink } from 'graphql-ws';

export interface SubscriptionRequest {
  query: string;
  operationName?: string | null;
  variables?: Readonly<Record<string, unknown>> | null;
}

type Event = { sequence?: number; kind?: string };
type Result = FormattedExecutionResult<Record<string, unknown>, unknown>;
export type ResultSink = Sink<Result>;
type Problems = readonly { extensions?: { code?: string; retryAfter?: number } }[];

/** The first wait, and the longest, unless the gateway asks for more; each is twice the one before. Milliseconds. */
const AGAIN_MS = 2000;
const LONGEST_MS = 10_000;
/** So often an event is asked for that the gateway fails at; then what holds now, instead. */
const MOST_FAULTS = 3;
/** What may be otherwise a moment later. */
const PASSES = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL_ERROR']);

/**
 * The client sends the same payload again after a loss, so that a payload that is kept up to date makes it go on; the
 * document has to declare `$after`.
 *
 * @param onWait told that the gateway cannot say at the moment what changes, and that it says it again.
 * @returns what ends it.
 */
export function subscribeResuming(
  socket: Client,
  request: SubscriptionRequest,
  sink: ResultSink,
  onWait: (waits: boolean) => void,
): () => void {
  const payload = { ...request, variables: { ...request.variables } as Record<string, unknown> };
  let end: () => void;
  let again: ReturnType<typeof setTimeout> | undefined;
  /** What holds now is instead of what was told before. */
  let isAnew = false;
  /** Since something came. */
  let waits = 0;
  let faults = 0;

  const later = (atLeastMs = 0) => {
    onWait(true);
    // Not all consoles at the same time.
    const ms = Math.min(LONGEST_MS, AGAIN_MS * 2 ** waits) * (0.5 + Math.random() / 2);
    waits += 1;
    again = setTimeout(begin, Math.max(ms, atLeastMs));
  };

  const forget = () => {
    delete payload.variables.after;
    isAnew = true;
    faults = 0;
  };

  /** @returns whether it is begun again. */
  const recovers = (problems: Problems): boolean => {
    const { code = '', retryAfter = 0 } = problems[0]?.extensions ?? {};
    const { after } = payload.variables;
    const goesOn = after !== undefined && after !== request.variables?.after;
    if (code === 'INTERNAL_ERROR') faults += 1;
    if (PASSES.has(code)) {
      if (goesOn && faults >= MOST_FAULTS) forget();
      later(retryAfter * 1000);
    } else if (code === 'VALIDATION_FAILED' && goesOn) {
      // The log was taken back, as when a database is set back to what it was.
      forget();
      begin();
    } else return false;
    return true;
  };

  const begin = () => {
    let isOver = false;
    const endThis = socket.subscribe(payload, {
      next(result) {
        // What refuses a subscription as a whole, or an event: the next one begins with it.
        if (result.errors && !result.data && recovers(result.errors)) {
          isOver = true;
          endThis();
          return;
        }
        const [[field, event] = []] = Object.entries((result.data ?? {}) as Record<string, Event | undefined>);
        if (event?.sequence !== undefined) payload.variables.after = event.sequence;
        onWait(false);
        waits = 0;
        faults = 0;
        const resets = isAnew && field !== undefined && event?.kind === 'SNAPSHOT';
        isAnew = false;
        sink.next(resets ? { ...result, data: { ...result.data, [field]: { ...event, kind: 'RESET' } } } : result);
      },
      error(error) {
        if (isOver || (Array.isArray(error) && recovers(error as Problems))) return;
        if (isMishap(error)) later();
        else sink.error(error);
      },
      complete: () => isOver || sink.complete(),
    });
    end = endThis;
  };
  begin();
  return () => {
    clearTimeout(again);
    onWait(false);
    end();
  };
}

const FORBIDDEN = 4403;

/** Whether the socket was closed by a fault, after which the client does not come back by itself. */
const isMishap = (error: unknown): boolean => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' && code !== FORBIDDEN;
};
