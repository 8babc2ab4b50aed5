import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { calendar } from './support/calendars.ts';
import { expectError } from './support/errors.ts';
import { send } from './support/http.ts';
import { EXCEPTIONS, HOURS, IMPORT, type KeptHours, startKeptHours } from './support/kept-hours.ts';

let kept: KeptHours;

beforeAll(async () => {
  kept = await startKeptHours();
});
afterAll(() => kept?.app.stop());
/** Whatever was sent, everything is as it was. */
afterEach(() => kept.expectUntouched());

describe('a calendar', () => {
  const upload = (path: string, body: string | Uint8Array, type = 'text/calendar') =>
    send(kept.app.url, 'POST', path, {
      headers: { authorization: `Bearer ${kept.admin.token}`, 'content-type': type },
      body,
    });
  const parsed = async (answer: ReturnType<typeof send>) => {
    const { text, ...rest } = await answer;
    return { ...rest, body: JSON.parse(text) };
  };
  const event = (...lines: string[]) => ['UID:1', 'SUMMARY:Bomb', ...lines];

  test('of more than 1 MiB is refused, and so is one of 10 MB, however it is sent', async () => {
    const ofSize = (bytes: number) =>
      calendar(event('DTSTART;VALUE=DATE:20270503', `DESCRIPTION:${'x'.repeat(bytes)}`));
    const huge = ofSize(10 * 1024 * 1024);
    for (const path of [IMPORT, `${IMPORT}/preview`]) {
      expectError(await parsed(upload(path, ofSize(1024 * 1024))), 413, 'payload_too_large');
      expectError(await parsed(upload(path, huge)), 413, 'payload_too_large');
      const json = JSON.stringify({ calendar: huge });
      expectError(await parsed(upload(path, json, 'application/json')), 413, 'payload_too_large');
    }
  });

  test.each<[what: string, file: string | Uint8Array, reason: RegExp]>([
    ['that is none', 'hello', /line 1/],
    ['that is empty', '', /\S/],
    ['that is a page', '<!DOCTYPE html><html></html>', /line 1/],
    ['that ends too early', calendar(event('DTSTART;VALUE=DATE:20270503')).slice(0, -30), /\S/],
    [
      'in Latin-1',
      Buffer.from(calendar(['UID:1', 'DTSTART;VALUE=DATE:20270503', 'SUMMARY:Nikolaustag für alle']), 'latin1'),
      /UTF-8/,
    ],
    ['in UTF-16', Buffer.from(calendar(event('DTSTART;VALUE=DATE:20270503')), 'utf16le'), /\S/],
    [
      'that covers too many days',
      calendar(...Array(30).fill(event('DTSTART;VALUE=DATE:20270101', 'DURATION:P360D'))),
      /line/,
    ],
  ])('%s is refused with the place', async (_, file, reason) => {
    for (const path of [IMPORT, `${IMPORT}/preview`]) {
      const answer = await parsed(upload(path, file));
      expectError(answer, 400, 'validation_failed');
      expect(answer.body.details).toMatchObject([{ message: expect.stringMatching(reason) }]);
    }
  });

  test('whose rules never end is answered soon', async () => {
    const many = (values: number) => Array.from({ length: values }, (_, n) => n + 1).join();
    const rules = [
      'FREQ=SECONDLY',
      'FREQ=MINUTELY;INTERVAL=1',
      'FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,1,2,3;BYSECOND=0,1,2,3',
      `FREQ=YEARLY;BYMONTH=${many(12)};BYMONTHDAY=${many(31)};BYSETPOS=${many(300)}`,
      `FREQ=YEARLY;BYYEARDAY=${many(366)}`,
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=DAILY;COUNT=999999999999',
      'FREQ=YEARLY;INTERVAL=99999999',
      'FREQ=WEEKLY;UNTIL=99991231T235959Z',
    ];
    const files = rules.map((rule) => calendar(event('DTSTART;VALUE=DATE:00010101', `RRULE:${rule}`)));
    files.push(calendar(...Array(400).fill(event('DTSTART;VALUE=DATE:19000101', `RRULE:${rules[4]}`))));
    for (const [index, file] of files.entries()) {
      const start = performance.now();
      const { status } = await upload(`${IMPORT}/preview`, file);
      const ms = performance.now() - start;
      process.stdout.write(
        `    measured: ${(rules[index] ?? '400 events').slice(0, 60)} ${status} ${Math.round(ms)} ms\n`,
      );
      expect([200, 400, 413]).toContain(status);
      expect(ms).toBeLessThan(10_000);
    }
  });

  test('is no body for any other operation', async () => {
    const file = calendar(event('DTSTART;VALUE=DATE:20270503'));
    for (const path of [EXCEPTIONS, `${HOURS}/preview`, '/api/divisions']) {
      expectError(await parsed(upload(path, file)), 415, 'unsupported_media_type');
    }
    for (const type of ['text/plain', 'text/html', 'application/octet-stream']) {
      const refused = await parsed(upload(IMPORT, file, type));
      expectError(refused, 415, 'unsupported_media_type');
      expect(refused.body.error).toBe('Send the body as application/json or as text/calendar.');
    }
  });
});
