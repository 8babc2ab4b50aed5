/** How much of a limit is used. */
import { Group, Progress, Stack, Text, Tooltip } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormats } from './format.ts';

/** From here on it is said in colour. */
const CLOSE = 0.8;

export const usageColor = (ratio: number) => (ratio >= 1 ? 'red' : ratio >= CLOSE ? 'yellow' : 'var(--os-bar)');

interface UsageBarProps {
  /** What is counted, such as Agents. */
  label: string;
  used: number;
  /** Absent: there is none. */
  limit?: number | null;
  /** In a table: without the label, numbers shortened. */
  compact?: boolean;
}

export function UsageBar({ label, used, limit, compact = false }: UsageBarProps) {
  const { t } = useTranslation();
  const { number, compact: short, percent } = useFormats();
  const limited = limit !== null && limit !== undefined;
  const ratio = !limited ? 0 : limit === 0 ? 1 : used / limit;
  const exact = limited
    ? t('usage.of', { used: number(used), limit: number(limit), percent: percent(ratio) })
    : t('usage.unlimited', { used: number(used) });
  const bar = (
    <Progress.Root size={compact ? 4 : 8} role="presentation">
      <Progress.Section
        value={Math.min(100, ratio * 100)}
        color={usageColor(ratio)}
        aria-label={`${label}: ${exact}`}
        aria-valuetext={exact}
      />
    </Progress.Root>
  );
  if (compact) {
    return (
      <Tooltip label={`${label}: ${exact}`}>
        <Stack gap={4} miw={72}>
          <Text size="xs" style={{ whiteSpace: 'nowrap', fontVariantNumeric: 'tabular-nums' }}>
            {short(used)}
            <Text span size="xs" c="dimmed">
              {' / '}
              {limited ? short(limit) : '∞'}
            </Text>
          </Text>
          {limited && bar}
        </Stack>
      </Tooltip>
    );
  }
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={500}>
          {label}
        </Text>
        <Text size="sm" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
          {exact}
        </Text>
      </Group>
      {limited && bar}
    </Stack>
  );
}
