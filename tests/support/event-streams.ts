/** GraphQL over server-sent events, read as they come. */
import type { TestApp } from './app.ts';

export const openStream = (
  app: Pick<TestApp, 'url'>,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
) =>
  fetch(`${app.url}/graphql/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify(body),
    signal,
  });

// biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
export async function* eventsOf(answer: Response): AsyncGenerator<{ event: string; data?: any }, undefined> {
  let text = '';
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event, data] = /^event: (\w+)\ndata: ?(.*)/.exec(text.slice(0, end).trim()) ?? [];
      text = text.slice(end + 2);
      if (event) yield { event, data: data ? JSON.parse(data) : undefined };
    }
  }
}

export async function* streamed(...asked: Parameters<typeof openStream>) {
  yield* eventsOf(await openStream(...asked));
}
