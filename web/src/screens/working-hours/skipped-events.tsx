/** What of a calendar is passed over, and why. */
import { Alert, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { HolidayPreviewQuery } from '../../documents.gen.ts';
import { dateText } from './clock-text.ts';

type Skipped = HolidayPreviewQuery['holidayImportPreview']['skipped'][number];

/** These stand for many events, of which none is named. */
const isMany = ({ code }: Skipped) => code === 'MORE' || code === 'OUTSIDE';

export function SkippedEvents({ events, language }: { events: readonly Skipped[]; language: string }) {
  const { t } = useTranslation('working-hours');
  const day = (date: string | null) =>
    date && dateText(date, language, { day: 'numeric', month: 'long', year: 'numeric' });
  const reasonOf = ({ code, count, part, by, date, from, to }: Skipped) =>
    t(`import.reason.${code}`, { count: count ?? 0, part, by, date: day(date), from: day(from), to: day(to) });
  const whichOf = ({ summary, line }: Skipped) =>
    `${summary ?? t('import.untitled')}${line === null ? '' : ` (${t('import.line', { line })})`}`;
  const count = events.reduce((sum, event) => sum + (isMany(event) ? (event.count ?? 0) : 1), 0);
  return (
    <Alert color="gray" title={t('import.skipped', { count })}>
      <Stack component="ul" gap={4} m={0} pl={16}>
        {events.map((event, index) => (
          <Text key={index} component="li" size="sm" style={{ overflowWrap: 'anywhere' }}>
            {isMany(event) ? reasonOf(event) : `${whichOf(event)}: ${reasonOf(event)}`}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
