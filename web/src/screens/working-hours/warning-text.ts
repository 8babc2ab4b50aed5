/** What the gateway warns of, and what overlaps, as sentences in the user's language. */
import type { TFunction } from 'i18next';
import type { WorkingHoursWarningKind } from '../../documents.gen.ts';
import { dateText, spanText, weekdayName } from './clock-text.ts';
import type { Stretch, Week } from './draft.ts';

type Texts = TFunction<'working-hours'>;

export const stretchText = ({ day, start, end }: Stretch, language: string): string =>
  `${weekdayName(day, language)} ${spanText(start, end, language)}`;

interface Warning {
  kind: WorkingHoursWarningKind;
  message: string;
  key?: string;
}

/** The message names the date on which the clock is set; the rest is said in the user's language. */
export function warningText({ kind, message, key }: Warning, week: Week, language: string, t: Texts): string {
  const stretch = week.find((one) => one.key === key);
  const what = stretch ? stretchText(stretch, language) : '';
  const date = /\d{4}-\d\d-\d\d/.exec(message)?.[0];
  const day = date ? dateText(date, language, { day: 'numeric', month: 'long', year: 'numeric' }) : '';
  return t(`warning.${kind}`, { what, day });
}

/** By the key of a stretch, what it overlaps. */
export function overlapTexts(
  overlaps: ReadonlyMap<string, readonly Stretch[]>,
  language: string,
  t: Texts,
): Map<string, string> {
  return new Map(
    [...overlaps].map(([key, others]) => [
      key,
      t('overlaps', { other: others.map((other) => stretchText(other, language)).join(', ') }),
    ]),
  );
}
