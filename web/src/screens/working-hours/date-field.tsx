/** A day of the calendar: typed as people write it, or picked. */
import { ActionIcon } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import 'dayjs/locale/id';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { dateText, typedDate } from './clock-text.ts';

interface Props {
  label: string;
  /** `YYYY-MM-DD`. */
  value: string | null;
  error?: string;
  /** The first day that can be picked. */
  from?: string;
  onChange(date: string | null): void;
}

export function DateField({ label, value, error, from, onChange }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const [isPicking, setIsPicking] = useState(false);
  const language = localeOf(i18n.language);
  return (
    <DateInput
      label={label}
      required
      withAsterisk={false}
      value={value}
      error={error}
      locale={i18n.language}
      firstDayOfWeek={1}
      valueFormat={(date) => dateText(date.slice(0, 10), language, { day: 'numeric', month: 'short', year: 'numeric' })}
      dateParser={(text) => typedDate(text, language) ?? null}
      minDate={from}
      defaultDate={value ?? from}
      // It opens when it is asked for: a calendar at every focus would lie over the fields below.
      popoverProps={{ opened: isPicking, onDismiss: () => setIsPicking(false) }}
      rightSection={
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t('form.pick', { label })}
          aria-expanded={isPicking}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => setIsPicking(!isPicking)}
        >
          <IconCalendar size={18} aria-hidden />
        </ActionIcon>
      }
      onChange={(date) => {
        onChange(date ? date.slice(0, 10) : null);
        setIsPicking(false);
      }}
    />
  );
}
