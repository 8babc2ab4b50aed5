/** A day of the calendar: typed as people write it, or picked. */
import { ActionIcon } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import 'dayjs/locale/id';
import { useEffect, useRef, useState } from 'react';
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
  /** Told whether what stands there is no day. */
  onProblem(hasOne: boolean): void;
}

export function DateField({ label, value, error, from, onChange, onProblem }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const [isPicking, setIsPicking] = useState(false);
  /** Since the day was last set. */
  const [typed, setTyped] = useState<string>();
  const [isUnread, setIsUnread] = useState(false);
  /** Another one shows what stands, instead of what was typed. */
  const [round, setRound] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const language = localeOf(i18n.language);
  const written = (date: string) => dateText(date, language, { day: 'numeric', month: 'short', year: 'numeric' });
  const report = (isProblem: boolean) => {
    setIsUnread(isProblem);
    onProblem(isProblem);
  };
  const isReadable = typed === undefined || typedDate(typed, language) !== undefined;
  useEffect(() => {
    setTyped(undefined);
    report(false);
  }, [value]);
  useEffect(() => {
    // The one that was left behind had it.
    if (round > 0) input.current?.focus();
  }, [round]);
  const pick = () => {
    setTyped(undefined);
    report(false);
    setRound(round + 1);
    setIsPicking(false);
  };
  return (
    <DateInput
      key={round}
      ref={input}
      label={label}
      required
      withAsterisk={false}
      value={value}
      error={isUnread && !isReadable ? t('form.dateUnread', { like: written(value ?? from ?? '2026-12-24') }) : error}
      locale={i18n.language}
      firstDayOfWeek={1}
      valueFormat={(date) => written(date.slice(0, 10))}
      dateParser={(text) => typedDate(text, language) ?? null}
      // What cannot be read stays to be mended: the day before would be taken for it.
      fixOnBlur={isReadable}
      onInput={({ currentTarget: { value: text } }) => {
        setTyped(text);
        setIsPicking(false);
      }}
      onBlur={() => report(!isReadable)}
      onKeyDown={({ key }) => {
        if (key === 'Enter') report(!isReadable);
      }}
      getDayProps={(day) => ({ disabled: from !== undefined && day < from, onClick: pick })}
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
      onChange={(date) => onChange(date ? date.slice(0, 10) : null)}
    />
  );
}
