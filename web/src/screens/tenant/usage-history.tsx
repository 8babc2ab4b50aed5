/** What a tenant used lately, day by day. */
import { SegmentedControl, Skeleton, Stack } from '@mantine/core';
import { IconChartArea } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFresh } from '../../api/use-fresh.ts';
import { UsageHistoryDocument } from '../../documents.gen.ts';
import { DayChart } from '../../ui/day-chart.tsx';
import { Empty, Failed } from '../../ui/states.tsx';

const METRICS = ['messages', 'contacts', 'agents'] as const;
const HEIGHT = 220;

export function UsageHistory({ tenantId }: { tenantId: string }) {
  const { t } = useTranslation('tenant');
  const [metric, setMetric] = useState<(typeof METRICS)[number]>('messages');
  const { data, error, refetch } = useFresh({ query: UsageHistoryDocument, variables: { tenantId, days: 30 } });
  const days = data?.usageHistory;
  if (!days) return error ? <Failed error={error} retry={refetch} /> : <Skeleton height={HEIGHT + 50} />;
  if (!days.length) return <Empty icon={IconChartArea} title={t('history.none')} text={t('history.noneHint')} />;
  return (
    <Stack gap="sm">
      <SegmentedControl
        size="xs"
        aria-label={t('history.metric')}
        data={METRICS.map((value) => ({ value, label: t(`usage.${value}`) }))}
        value={metric}
        onChange={(value) => setMetric(value as typeof metric)}
        style={{ alignSelf: 'flex-start' }}
      />
      <DayChart
        height={HEIGHT}
        days={days}
        name={metric}
        label={t(`usage.${metric}`)}
        color="sea.6"
        curveType="linear"
        withDots={days.length < 4}
        description={t('history.label', { metric: t(`usage.${metric}`), count: days.length })}
      />
    </Stack>
  );
}
