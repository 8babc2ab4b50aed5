/** A collector as OTLP/HTTP knows it: takes traces as JSON, and remembers what came. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { json } from 'node:stream/consumers';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  attributes: Record<string, string | number | boolean>;
  failed: boolean;
}

export interface TraceReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Of each request, in the order in which they came. */
  readonly requests: { path: string; headers: IncomingHttpHeaders }[];
  /** `service.name` and others, of the process that sent last. */
  resource: Record<string, unknown>;
  stop(): Promise<void>;
}

type Value = { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean };
type Attributes = { key: string; value: Value }[];
interface Sent {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: {
      spans: (Omit<ReceivedSpan, 'attributes' | 'failed'> & { attributes: Attributes; status: { code?: number } })[];
    }[];
  }[];
}

const plain = (attributes: Attributes) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const { stringValue, intValue, doubleValue, boolValue } = value;
      return [key, stringValue ?? boolValue ?? Number(intValue ?? doubleValue)];
    }),
  );

export async function startTraceReceiver(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: TraceReceiver['requests'] = [];
  const receiver = { spans, requests, resource: {} as Record<string, unknown> };
  const server = createServer(async (request, response) => {
    requests.push({ path: request.url!, headers: request.headers });
    if (request.headers['content-type'] === 'application/json') {
      for (const { resource, scopeSpans } of ((await json(request)) as Sent).resourceSpans) {
        receiver.resource = plain(resource.attributes);
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
          spans.push({ ...span, attributes: plain(span.attributes), failed: span.status.code === 2 });
        }
      }
    } else request.resume();
    response
      .setHeader('content-type', request.headers['content-type']!)
      .end(request.headers['content-type'] === 'application/json' ? '{}' : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  });
}
