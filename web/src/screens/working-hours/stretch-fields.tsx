/** The start and the end of a stretch, to be typed. */
import { Badge, Group, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { spanText, weekdayName } from './clock-text.ts';
import { DAY, endAfter, isWhole, type Stretch } from './draft.ts';
import { nextDay } from './geometry.ts';
import { TimeField } from './time-field.tsx';

interface Props {
  stretch: Pick<Stretch, 'start' | 'end'> & { day?: number };
  readOnly?: boolean;
  onChange(span: { start: number; end: number }): void;
  onProblem(field: 'start' | 'end', hasOne: boolean): void;
  /** What the fields are of, for those who do not see it, such as "Monday, 1". */
  name: string;
}

export function StretchFields({ stretch, readOnly, onChange, onProblem, name }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const { day, start, end } = stretch;
  const set = (from: number, to: number) => {
    const span = { start: from % DAY, end: endAfter(from % DAY, to % DAY) };
    if (!isWhole(span)) return t('time.mustDiffer');
    onChange(span);
    return undefined;
  };
  const over = end > DAY;
  if (readOnly)
    return (
      <Text size="sm" fw={500} style={{ fontVariantNumeric: 'tabular-nums' }}>
        {start === 0 && end === DAY ? t('allDay') : spanText(start, end, localeOf(i18n.language))}
      </Text>
    );
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <TimeField
        w={76}
        size="sm"
        second={start}
        aria-label={t('time.from', { name })}
        onTime={(second) => set(second, end)}
        onProblem={(hasOne) => onProblem('start', hasOne)}
      />
      <Text c="dimmed" lh="36px" aria-hidden>
        –
      </Text>
      <TimeField
        w={76}
        size="sm"
        second={end}
        aria-label={t('time.to', { name })}
        onTime={(second) => set(start, second)}
        onProblem={(hasOne) => onProblem('end', hasOne)}
      />
      {(over || (start === 0 && end === DAY)) && (
        <Badge mt={8} variant="light" color="gray" tt="none" style={{ flexShrink: 0 }}>
          {over
            ? day === undefined
              ? t('nextDay')
              : t('until', { day: weekdayName(nextDay(day), localeOf(i18n.language), 'short') })
            : t('allDay')}
        </Badge>
      )}
    </Group>
  );
}
