/** A subscription that goes on after the last event that came, however often its socket is lost. */
import type { Client, FormattedExecutionResult, Sink } from 'graphql-ws';

interface Request {
  query: string;
  operationName?: string | null;
  variables?: Readonly<Record<string, unknown>> | null;
}

const sequenceOf = (data: unknown): number | undefined => {
  const [event] = Object.values((data as Record<string, { sequence?: number }> | null | undefined) ?? {});
  return event?.sequence;
};

/**
 * The client sends the same payload again after a loss, so that a payload that is kept up to date makes it go on; the
 * document has to declare `$after`.
 * @returns what ends it.
 */
export function subscribeResuming(
  socket: Client,
  request: Request,
  sink: Sink<FormattedExecutionResult<Record<string, unknown>, unknown>>,
): () => void {
  const payload = { ...request, variables: { ...request.variables } as Record<string, unknown> };
  let end: () => void;
  let again: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    end = socket.subscribe(payload, {
      next(result) {
        const sequence = sequenceOf(result.data);
        if (sequence !== undefined) payload.variables.after = sequence;
        sink.next(result);
      },
      error(error) {
        // The log was taken back, such as by restoring a backup: begin anew.
        const [first] = Array.isArray(error) ? (error as { extensions?: { code?: string } }[]) : [];
        const resumed = payload.variables.after !== request.variables?.after;
        if (resumed && first?.extensions?.code === 'VALIDATION_FAILED') {
          delete payload.variables.after;
          begin();
        } else if (isMishap(error)) again = setTimeout(begin, AGAIN_MS);
        else sink.error(error);
      },
      complete: () => sink.complete(),
    });
  };
  begin();
  return () => {
    clearTimeout(again);
    end();
  };
}

const AGAIN_MS = 2000;
const FORBIDDEN = 4403;

/** Whether the socket was closed by a fault, after which the client does not come back by itself. */
const isMishap = (error: unknown): boolean => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' && code !== FORBIDDEN;
};
