/** A month with the days that differ from the week; a day is chosen with the pointer or the arrow keys. */
import { ActionIcon, Button, Group, Text, Title, VisuallyHidden } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ExceptionFieldsFragment } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { dateText, weekdayName } from './clock-text.ts';
import { addDays, addMonths, exceptionOn, monthDates } from './dates.ts';
import { WEEKDAYS } from './draft.ts';
import { hoursText } from './exception-text.ts';
import classes from './month.module.css';

interface Props {
  exceptions: readonly ExceptionFieldsFragment[];
  divisionId?: string;
  today: string;
  /** @param exception what counts on that day. */
  onDay?(date: string, exception: ExceptionFieldsFragment | undefined): void;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

export function Month({ exceptions, divisionId, today, onDay }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const language = localeOf(i18n.language);
  const [month, setMonth] = useState(today.slice(0, 7));
  const [focused, setFocused] = useState(today);
  const table = useRef<HTMLTableElement>(null);
  const dates = monthDates(month);
  const title = dateText(`${month}-01`, language, { month: 'long', year: 'numeric' });
  // One day is reached by Tab, the others from it.
  const entry = focused.startsWith(month) ? focused : `${month}-01`;

  const show = (next: string) => {
    setMonth(next);
    setFocused(today.startsWith(next) ? today : `${next}-01`);
  };
  const onKey = (event: KeyboardEvent, date: string) => {
    const step = STEPS[event.key];
    const to =
      step !== undefined
        ? addDays(date, step)
        : event.key === 'PageDown' || event.key === 'PageUp'
          ? `${addMonths(month, event.key === 'PageDown' ? 1 : -1)}-01`
          : undefined;
    if (!to) return;
    event.preventDefault();
    setMonth(to.slice(0, 7));
    setFocused(to);
    requestAnimationFrame(() => table.current?.querySelector<HTMLElement>(`[data-date="${to}"]`)?.focus());
  };

  return (
    <div data-testid="month">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" tt="capitalize" aria-live="polite">
          {title}
        </Title>
        <Group gap={4}>
          <Button size="compact-sm" variant="default" onClick={() => show(today.slice(0, 7))}>
            {t('exceptions.today')}
          </Button>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('exceptions.previous')}
            onClick={() => show(addMonths(month, -1))}
          >
            <IconChevronLeft size={18} aria-hidden />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('exceptions.next')}
            onClick={() => show(addMonths(month, 1))}
          >
            <IconChevronRight size={18} aria-hidden />
          </ActionIcon>
        </Group>
      </Group>
      <table ref={table} className={classes.month} aria-label={t('exceptions.calendar', { month: title })}>
        <thead>
          <tr>
            {WEEKDAYS.map((day) => (
              <th key={day} scope="col">
                <abbr title={weekdayName(day, language)}>{weekdayName(day, language, 'short')}</abbr>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[0, 7, 14, 21, 28, 35].map((row) => (
            <tr key={dates[row]}>
              {dates.slice(row, row + 7).map((date) => {
                const exception = exceptionOn(exceptions, date, divisionId);
                const full = dateText(date, language, {
                  weekday: 'long',
                  day: 'numeric',
                  month: 'long',
                  year: 'numeric',
                });
                const what = exception && `${exception.name}, ${hoursText(exception.hours, language) || t('closed')}`;
                return (
                  <td key={date}>
                    <button
                      type="button"
                      className={classes.day}
                      data-date={date}
                      data-outside={!date.startsWith(month) || undefined}
                      data-today={date === today || undefined}
                      data-kind={exception && (exception.hours.length ? 'special' : 'closed')}
                      aria-label={exception ? undefined : onDay ? t('exceptions.addOn', { day: full }) : full}
                      aria-current={date === today ? 'date' : undefined}
                      aria-disabled={!onDay || undefined}
                      tabIndex={date === entry ? 0 : -1}
                      title={what}
                      onFocus={() => setFocused(date)}
                      onKeyDown={(event) => onKey(event, date)}
                      onClick={() => onDay?.(date, exception)}
                    >
                      <span className={classes.number} aria-hidden={exception !== undefined}>
                        {Number(date.slice(8))}
                      </span>
                      {exception && (
                        <>
                          <VisuallyHidden>{full}: </VisuallyHidden>
                          <span className={classes.name}>{exception.name}</span>
                          <VisuallyHidden>, {hoursText(exception.hours, language) || t('closed')}</VisuallyHidden>
                        </>
                      )}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <Group gap="md" mt="xs">
        <Legend kind="closed" text={t('exceptions.legendClosed')} />
        <Legend kind="special" text={t('exceptions.legendSpecial')} />
      </Group>
    </div>
  );
}

const Legend = ({ kind, text }: { kind: string; text: string }) => (
  <Group gap={6}>
    <span className={classes.legend} data-kind={kind} aria-hidden />
    <Text size="xs" c="dimmed">
      {text}
    </Text>
  </Group>
);
