/** A day of the calendar: typed as people write it, or picked. */
import { DateInput } from '@mantine/dates';
import 'dayjs/locale/id';
import { useTranslation } from 'react-i18next';
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
  const { i18n } = useTranslation();
  const language = i18n.language;
  return (
    <DateInput
      label={label}
      required
      withAsterisk={false}
      value={value}
      error={error}
      locale={language}
      firstDayOfWeek={1}
      valueFormat={(date) => dateText(date.slice(0, 10), language, { day: 'numeric', month: 'long', year: 'numeric' })}
      dateParser={(text) => typedDate(text, language) ?? null}
      minDate={from}
      defaultDate={value ?? from}
      popoverProps={{ withinPortal: true }}
      onChange={(date) => onChange(date ? date.slice(0, 10) : null)}
    />
  );
}
