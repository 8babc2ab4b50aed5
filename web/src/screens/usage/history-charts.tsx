/** How agents, contacts and messages of all tenants went, day by day: as charts or as a table. */
import {
  Card,
  Group,
  ScrollArea,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
} from '@mantine/core';
import { IconChartArea } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useEvery } from '../../api/use-every.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { PlatformUsageDocument, type PlatformUsageQuery } from '../../documents.gen.ts';
import { DayChart } from '../../ui/day-chart.tsx';
import { useFormats } from '../../ui/format.ts';
import { Empty, Failed } from '../../ui/states.tsx';
import { everyDay } from './days.ts';
import { COUNTED_EVERY_MS, METRICS, type MetricName } from './metrics.ts';

const SPANS = [30, 90, 365] as const;
type View = 'charts' | 'table';
type Days = PlatformUsageQuery['platformUsage'];

interface HistoryChartsProps {
  days: number;
  onDays: (days: number) => void;
}

export function HistoryCharts({ days, onDays }: HistoryChartsProps) {
  const { t } = useTranslation('usage');
  const [view, setView] = useState<View>('charts');
  const { data, error, refetch } = useFresh({ query: PlatformUsageDocument, variables: { days } });
  useEvery(COUNTED_EVERY_MS, refetch);
  const known = data?.platformUsage;
  return (
    <Stack component="section" gap="sm" aria-labelledby="usage-history">
      <Group justify="space-between">
        <Title order={2} size="h4" id="usage-history">
          {t('history.title')}
        </Title>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label={t('history.span')}
            value={String(days)}
            onChange={(value) => onDays(Number(value))}
            data={SPANS.map((span) => ({ value: String(span), label: t('history.days', { count: span }) }))}
          />
          <SegmentedControl
            size="xs"
            aria-label={t('history.view')}
            value={view}
            onChange={(value) => setView(value as View)}
            data={[
              { value: 'charts', label: t('history.charts') },
              { value: 'table', label: t('history.table') },
            ]}
          />
        </Group>
      </Group>
      {known ? (
        known.length === 0 ? (
          <Card withBorder>
            <Empty icon={IconChartArea} title={t('history.none')} text={t('history.noneText')} />
          </Card>
        ) : view === 'charts' ? (
          <Charts known={known} />
        ) : (
          <DayTable known={known} />
        )
      ) : error ? (
        <Failed error={error} retry={refetch} />
      ) : (
        <SimpleGrid cols={{ base: 1, md: 3 }} aria-busy>
          {METRICS.map(({ name }) => (
            <Skeleton key={name} height={306} />
          ))}
        </SimpleGrid>
      )}
    </Stack>
  );
}

function Charts({ known }: { known: Days }) {
  const { t } = useTranslation('usage');
  const days = useMemo(() => everyDay(known), [known]);
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 1, md: 3 }}>
        {METRICS.map(({ name }) => (
          <Chart key={name} metric={name} known={known} days={days} />
        ))}
      </SimpleGrid>
      {known.length === 1 && (
        <Group gap="xs" wrap="nowrap" c="dimmed">
          <IconChartArea size={18} aria-hidden style={{ flex: 'none' }} />
          <Text size="sm">{t('history.today')}</Text>
        </Group>
      )}
    </Stack>
  );
}

interface ChartProps {
  metric: MetricName;
  known: Days;
  days: ReturnType<typeof everyDay>;
}

function Chart({ metric, known, days }: ChartProps) {
  const { t } = useTranslation('usage');
  const { number, day } = useFormats();
  const { Icon, color } = METRICS.find(({ name }) => name === metric)!;
  const [first, last] = [known[0]!, known.at(-1)!];
  const grown = last[metric] - first[metric];
  const label = t(`metric.${metric}`);
  return (
    <Card withBorder padding="md" data-testid={`usage-chart-${metric}`}>
      <Group gap={6} mb={4}>
        <Icon size={16} aria-hidden color="var(--mantine-color-dimmed)" />
        <Title order={3} size="h6" fw={500} c="dimmed">
          {label}
        </Title>
      </Group>
      <Text fz={28} fw={650} lh={1.15} style={{ fontVariantNumeric: 'tabular-nums' }}>
        {number(last[metric])}
      </Text>
      <Text size="xs" c="dimmed">
        {metric === 'messages'
          ? t('history.thisMonth')
          : known.length > 1
            ? t('history.grown', { change: `${grown > 0 ? '+' : ''}${number(grown)}`, since: day(first.day) })
            : t('history.now')}
      </Text>
      {known.length > 1 && (
        <DayChart
          height={190}
          days={days}
          name={metric}
          label={label}
          color={color}
          curveType={metric === 'messages' ? 'linear' : 'monotone'}
          withDots={false}
          mt="sm"
          description={t('history.chart', {
            label,
            from: day(first.day),
            to: day(last.day),
            first: number(first[metric]),
            last: number(last[metric]),
          })}
        />
      )}
    </Card>
  );
}

function DayTable({ known }: { known: Days }) {
  const { t } = useTranslation('usage');
  const { number, date, day } = useFormats();
  const thisYear = String(new Date().getFullYear());
  return (
    <Card withBorder padding={0}>
      <ScrollArea.Autosize mah={420} viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': t('history.title') }}>
        <Table stickyHeader aria-labelledby="usage-history" verticalSpacing="xs" horizontalSpacing="sm" fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t('history.day')}</Table.Th>
              {METRICS.map(({ name }) => (
                <Table.Th key={name} scope="col" ta="right">
                  {t(`metric.${name}`)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody style={{ fontVariantNumeric: 'tabular-nums' }}>
            {[...known].reverse().map((row) => (
              <Table.Tr key={row.day}>
                <Table.Th scope="row" fw={400} style={{ whiteSpace: 'nowrap' }}>
                  {row.day.startsWith(thisYear) ? day(row.day) : date(`${row.day}T12:00:00`)}
                </Table.Th>
                {METRICS.map(({ name }) => (
                  <Table.Td key={name} ta="right">
                    {number(row[name])}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </Card>
  );
}
