import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { describeFailure } from '../src/components/describe-failure.ts';
import { PLATFORM_ACTIONS } from '../src/domain/audit-actions.ts';
import { SKIP_REASONS } from '../src/domain/icalendar/reasons.ts';
import { errorTable } from '../src/errors.ts';

const FOLDER = new URL('../web/src/locales/', import.meta.url);
/** Only what the gateway says in English has to be there in other languages alone. */
const OF_GATEWAY = 'errors.json';

type Texts = { [key: string]: string | Texts };
const read = async (path: string) => JSON.parse(await readFile(new URL(path, FOLDER), 'utf8')) as Texts;

/** By the path of each text, the names of its gaps. */
function gapsIn(texts: Texts, path = ''): Record<string, string[]> {
  return Object.assign(
    {},
    ...Object.entries(texts).map(([key, text]) =>
      typeof text === 'string'
        ? { [`${path}${key}`]: [...new Set(text.match(/\{\{\w+\}\}/g))].sort() }
        : gapsIn(text, `${path}${key}.`),
    ),
  );
}

describe('the texts of the console', () => {
  test('are the same in English and Indonesian, with the same gaps', async () => {
    const files = (await readdir(new URL('en/', FOLDER))).sort();
    expect((await readdir(new URL('id/', FOLDER))).filter((name) => name !== OF_GATEWAY).sort()).toEqual(files);
    for (const file of files) {
      const [english, indonesian] = await Promise.all([read(`en/${file}`), read(`id/${file}`)]);
      expect([file, gapsIn(indonesian)]).toEqual([file, gapsIn(english)]);
    }
  });

  test('say every kind of error, and every reason for which a holiday is passed over', async () => {
    const errors = await read(`id/${OF_GATEWAY}`);
    expect(errorTable.map(({ sentence }) => sentence).filter((sentence) => !errors[sentence])).toEqual([]);
    const { import: texts } = await read('id/working-hours.json');
    const reasons = (texts as Texts).reason as Texts;
    expect(Object.keys(SKIP_REASONS).filter((code) => !reasons[code] && !reasons[`${code}_other`])).toEqual([]);
  });

  test('name everything that the platform may log, which is what the log can be narrowed to, and nothing else', async () => {
    const texts = await read('en/audit-entry.json');
    for (const kind of ['action', 'sentence']) {
      const { other, otherIn, ...known } = texts[kind] as Texts;
      expect([kind, Object.keys(gapsIn(known)).sort()]).toEqual([kind, [...PLATFORM_ACTIONS].sort()]);
    }
    const nouns = new Set(PLATFORM_ACTIONS.map((action) => action.split('.')[0]));
    expect(Object.keys((await read('en/audit.json')).noun as Texts).sort()).toEqual([...nouns].sort());
  });

  test('say why something that the platform needs is away, whatever client it failed in', async () => {
    const errors = await read(`id/${OF_GATEWAY}`);
    const codes = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', '28P01', '42501', 'SELF_SIGNED_CERT', 'EPROTO'];
    codes.push('HPE_INVALID', 'ETIMEDOUT', 'ECONNRESET', '');
    const told = codes.map((code) => describeFailure(Object.assign(new Error(), { code })));
    expect(new Set(told).size).toBe(codes.length);
    expect(told.filter((sentence) => !errors[sentence])).toEqual([]);
  });

  test('fill what stands in the gaps of an error into the other language', async () => {
    for (const [sentence, text] of Object.entries(await read(`id/${OF_GATEWAY}`))) {
      const gaps = Object.values(gapsIn({ text: text as string }))[0]!;
      expect([sentence, gaps.filter((gap) => !sentence.includes(gap))]).toEqual([sentence, []]);
    }
  });
});
