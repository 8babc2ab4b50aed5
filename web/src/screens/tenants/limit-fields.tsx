/** What a tenant may use; an empty field is no limit. */
import { NumberInput, SimpleGrid } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { TenantLimitsInput } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';

/** As they stand in the fields: a text is no number yet, such as a sign alone. */
export type Limits = Record<'maxAgents' | 'maxContacts' | 'maxMessagesMonth', number | string>;

export const NO_LIMITS: Limits = { maxAgents: '', maxContacts: '', maxMessagesMonth: '' };

const NAMES = Object.keys(NO_LIMITS) as (keyof Limits)[];
const MOST = 2_147_483_647;

/** Absent of what is made anew; null takes one away. */
export const limitsInput = (limits: Limits, empty: null | undefined): TenantLimitsInput =>
  Object.fromEntries(NAMES.map((name) => [name, limits[name] === '' ? empty : Number(limits[name])]));

/** What is no number, by its field. */
export const limitMistakes = (limits: Limits, t: (key: string) => string): Record<string, string> =>
  Object.fromEntries(
    NAMES.filter((name) => Number.isNaN(Number(limits[name]))).map((name) => [name, t('mistake.limit')]),
  );

interface LimitFieldsProps {
  value: Limits;
  onChange: (limits: Limits) => void;
  errors: Readonly<Record<string, string>>;
}

export function LimitFields({ value, onChange, errors }: LimitFieldsProps) {
  const { t, i18n } = useTranslation('tenants');
  const parts = new Intl.NumberFormat(localeOf(i18n.language)).formatToParts(1000.5);
  const sign = (type: Intl.NumberFormatPartTypes) => parts.find((part) => part.type === type)?.value;
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
      {NAMES.map((name) => (
        <NumberInput
          key={name}
          label={t(`limits.${name}`)}
          placeholder={t('limits.none')}
          min={0}
          max={MOST}
          // Another number than the one that was typed would be saved.
          clampBehavior="none"
          isAllowed={({ floatValue = 0 }) => floatValue <= MOST}
          allowDecimal={false}
          thousandSeparator={sign('group')}
          decimalSeparator={sign('decimal')}
          hideControls
          value={value[name]}
          onChange={(limit) => onChange({ ...value, [name]: limit })}
          error={errors[name]}
        />
      ))}
    </SimpleGrid>
  );
}
