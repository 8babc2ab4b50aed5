/** Tracing by OpenTelemetry: W3C trace context, sent over OTLP/HTTP. Loaded only where it is set up. */
import {
  type Context,
  context,
  type DiagLogFunction,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import { withDeadline } from '../components/probe.ts';
import type { TracingConfig } from '../config.ts';
import { VERSION } from '../project.ts';
import type { Attributes, OpenSpan, SpanFacts, TraceContext, Tracing } from './tracing.ts';

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
/** What is left has so long to be sent when the process ends. */
const LEAVE_MS = 2000;
/** A collector that is away is told of once in so many milliseconds. */
const COMPLAIN_MS = 60_000;

const carrier = {
  get: (from: TraceContext, key: string) => from[key as keyof TraceContext],
  keys: (from: TraceContext) => Object.keys(from),
  set: (to: TraceContext, key: string, value: string) => {
    to[key as keyof TraceContext] = value;
  },
};

/** What it is set up with besides stands in the environment's other `OTEL_` variables, which the SDK reads itself. */
export async function openTelemetry({ protocol }: TracingConfig, log: Logger): Promise<Tracing> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  complainTo(log);
  const own = resourceFromAttributes({ 'service.name': 'omnistream-gateway', 'service.version': VERSION });
  const given = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] });
  const provider = new BasicTracerProvider({
    resource: own.merge(given),
    spanProcessors: [new BatchSpanProcessor(await exporterOf(protocol))],
  });
  const tracer = provider.getTracer('omnistream', VERSION);
  const propagator = new W3CTraceContextPropagator();
  const underWay = () => trace.getSpan(context.active());

  return {
    begin(name, { kind, attributes, parent }: SpanFacts) {
      const before = parent ? propagator.extract(ROOT_CONTEXT, parent, carrier) : context.active();
      const span = tracer.startSpan(name, { kind: kind && KINDS[kind], attributes }, before);
      return new OpenTelemetrySpan(span, trace.setSpan(before, span));
    },
    isUnderWay: () => underWay() !== undefined,
    annotate: (attributes) => void underWay()?.setAttributes(attributes),
    context() {
      const told: TraceContext = {};
      if (isSampled(underWay())) propagator.inject(context.active(), told, carrier);
      return told;
    },
    ids() {
      const found = underWay()?.spanContext();
      return found ? { traceId: found.traceId, spanId: found.spanId } : {};
    },
    close: () => withDeadline(LEAVE_MS, () => provider.shutdown()),
  };
}

const isSampled = (span: Span | undefined) => ((span?.spanContext().traceFlags ?? 0) & TraceFlags.SAMPLED) !== 0;

class OpenTelemetrySpan implements OpenSpan {
  readonly #span: Span;
  readonly #context: Context;

  constructor(span: Span, inContext: Context) {
    this.#span = span;
    this.#context = inContext;
  }

  within<T>(body: () => T): T {
    return context.with(this.#context, body);
  }

  end(attributes: Attributes = {}, failure?: string): void {
    this.#span.setAttributes(attributes);
    if (failure !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', failure);
    this.#span.end();
  }
}

async function exporterOf(protocol: TracingConfig['protocol']): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

/** What the SDK finds wrong, such as a collector that does not answer. */
function complainTo(log: Logger): void {
  let last = Number.NEGATIVE_INFINITY;
  const warn: DiagLogFunction = (message) => {
    if (Date.now() - last < COMPLAIN_MS) return;
    last = Date.now();
    log.warn({ reason: message.slice(0, 300) }, 'traces could not be sent');
  };
  const silent = () => {};
  diag.setLogger({ error: warn, warn, info: silent, debug: silent, verbose: silent }, DiagLogLevel.WARN);
}
