/** A time of day as text: typed in whatever way people write it, stepped with the arrow keys. */
import { TextInput, type TextInputProps } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { typedTime } from './clock-text.ts';
import { DAY, timeOf } from './draft.ts';
import { STEP } from './geometry.ts';

interface Props extends Omit<TextInputProps, 'value' | 'onChange' | 'error'> {
  /** Of the day; DAY shows as 00:00. */
  second: number;
  /** @returns what is wrong with it; undefined where it was taken. */
  onTime(second: number): string | undefined;
  onProblem?(hasOne: boolean): void;
}

const COMPLETE = /^\d{2}[:.]?\d{2}$/;

export function TimeField({ second, onTime, onProblem, ...rest }: Props) {
  const { t } = useTranslation('working-hours');
  const [text, setText] = useState<string>();
  const [error, setError] = useState<string>();

  const report = (problem: string | undefined) => {
    setError(problem);
    onProblem?.(problem !== undefined);
    return problem === undefined;
  };
  const take = (typed: string): boolean => {
    const found = typedTime(typed);
    return report(found === undefined ? t('time.invalid') : onTime(found));
  };
  // What was wrong is moot once the time is set from elsewhere, as in the grid.
  useEffect(() => {
    if (error === undefined) return;
    setText(undefined);
    report(undefined);
  }, [second]);

  return (
    <TextInput
      {...rest}
      value={text ?? timeOf(second)}
      error={error}
      inputMode="numeric"
      autoComplete="off"
      placeholder="HH:MM"
      styles={{ input: { fontVariantNumeric: 'tabular-nums', textAlign: 'center' } }}
      onFocus={(event) => event.currentTarget.select()}
      onChange={({ currentTarget: { value } }) => {
        setText(value);
        if (COMPLETE.test(value)) take(value);
      }}
      onBlur={() => {
        if (text !== undefined && take(text)) setText(undefined);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && text !== undefined && take(text)) setText(undefined);
        if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
        event.preventDefault();
        const by = event.key === 'ArrowUp' ? STEP : -STEP;
        setText(undefined);
        report(onTime((((second + by) % DAY) + DAY) % DAY));
      }}
    />
  );
}
