/**
 * Spans, where traces are sent somewhere (`OTEL_EXPORTER_OTLP_ENDPOINT`). Otherwise OpenTelemetry's SDK is not loaded, and each place that
 * would begin a span looks at one variable.
 *
 * They are made by hand where the gateway knows what happens: at requests, root fields, statements, jobs and events. No span holds a
 * statement's text or values, nor anything that a client sent besides its request id.
 */

export type Attributes = Record<string, string | number | boolean | undefined>;

export interface SpanFacts {
  kind?: 'server' | 'client' | 'producer' | 'consumer';
  attributes?: Attributes;
  /**
   * What it goes on from, in another process or time; one that is empty begins a trace. Without one, it is part of the span that is
   * under way.
   */
  parent?: TraceContext;
}

/** https://www.w3.org/TR/trace-context */
export interface TraceContext {
  traceparent?: string;
  tracestate?: string;
}

/** A span whose end is told elsewhere than its beginning. */
export interface OpenSpan {
  /** Calls this as part of the span. */
  within<T>(body: () => T): T;
  /** @param failure says that it failed, and of what kind. */
  end(attributes?: Attributes, failure?: string): void;
}

export interface Tracing {
  begin(name: string, facts: SpanFacts): OpenSpan;
  /** Whether there is a span under way. */
  isUnderWay(): boolean;
  /** Adds to the span under way. */
  annotate(attributes: Attributes): void;
  /** For whatever goes on from the span under way; empty where there is none, or it is not sampled. */
  context(): TraceContext;
  /** For log lines. */
  ids(): { traceId?: string; spanId?: string };
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Of this process, set once before anything is opened. */
export let tracing: Tracing | undefined;

export function traceTo(sink: Tracing | undefined): void {
  tracing = sink;
}

/**
 * Runs this as a span; as it is where nothing is traced, or where it is part of no trace and goes on from none: what the gateway does
 * by itself every second is not worth one.
 */
export function traced<T>(name: string, facts: () => SpanFacts, body: () => Promise<T>): Promise<T> {
  if (!tracing) return body();
  const known = facts();
  return known.parent || tracing.isUnderWay() ? inSpan(tracing.begin(name, known), body) : body();
}

async function inSpan<T>(span: OpenSpan, body: () => Promise<T>): Promise<T> {
  try {
    const result = await span.within(body);
    span.end();
    return result;
  } catch (error) {
    span.end({}, kindOf(error));
    throw error;
  }
}

/** Never its message, which may hold values. */
function kindOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return String(code ?? name ?? 'Error');
}
