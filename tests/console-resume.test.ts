import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Client, Sink } from 'graphql-ws';
import { subscribeResuming } from '../web/src/api/resume.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const changed = (sequence: number, kind: string) => ({ data: { changed: { sequence, kind } } });
const FAILED = { data: null, errors: [{ message: 'broken', extensions: { code: 'INTERNAL_ERROR' } }] };

test('a console that cannot be told an event asks for it less and less often, then for what holds now', async () => {
  const asked: { after?: number; at: number }[] = [];
  const socket = {
    subscribe({ variables }: { variables: { after?: number } }, sink: Sink) {
      asked.push({ after: variables.after, at: Date.now() });
      const answers = variables.after
        ? [FAILED]
        : asked.length > 1
          ? [changed(9, 'SNAPSHOT')]
          : [changed(7, 'SNAPSHOT'), FAILED];
      queueMicrotask(() => {
        for (const answer of answers) sink.next(answer as never);
      });
      return () => {};
    },
  } as unknown as Client;
  const told: unknown[] = [];
  const waits: boolean[] = [];
  const sink = { next: (result: unknown) => told.push(result), error() {}, complete() {} };
  const end = subscribeResuming(socket, { query: '' }, sink, (waiting) => waits.push(waiting));
  await jest.advanceTimersByTimeAsync(60_000);
  end();
  expect(asked.map(({ after }) => after)).toEqual([undefined, 7, 7, undefined]);
  const [first, second, third] = asked.slice(1).map(({ at }, index) => at - asked[index]!.at);
  expect([first! >= 1000 && first! <= 2000, second! >= 2000 && second! <= 4000]).toEqual([true, true]);
  expect(third! >= 4000 && third! <= 8000).toBe(true);
  expect(told).toEqual([changed(7, 'SNAPSHOT'), changed(9, 'RESET')]);
  expect(waits.slice(-3)).toEqual([true, false, false]);
});
