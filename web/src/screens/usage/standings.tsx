/** Which tenants come near one of their limits, and when they will be there. */
import { Anchor, Badge, Card, Group, SegmentedControl, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconGauge, IconInfinity } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useEvery } from '../../api/use-every.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { UsageStandingsDocument, type UsageStandingsQuery } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { UsageBar } from '../../ui/bar.tsx';
import { useFormats } from '../../ui/format.ts';
import stacked from '../../ui/stacked.module.css';
import { Empty, Failed } from '../../ui/states.tsx';
import { daysUntil } from './days.ts';
import { COUNTED_EVERY_MS, METRICS, type MetricKey } from './metrics.ts';
import classes from './usage.module.css';

const MOST = 200;
export const THRESHOLDS = ['0', '50', '80', '100'] as const;
export type MetricChoice = MetricKey | 'ALL';

type Standing = UsageStandingsQuery['usageStandings'][number];

interface StandingsProps {
  metric: MetricChoice;
  onMetric: (metric: MetricChoice) => void;
  /** Percent. */
  threshold: string;
  onThreshold: (threshold: string) => void;
}

export function Standings({ metric, onMetric, threshold, onThreshold }: StandingsProps) {
  const { t } = useTranslation('usage');
  const { percent } = useFormats();
  const { data, error, refetch } = useFresh({
    query: UsageStandingsDocument,
    variables: { first: MOST, minRatio: Number(threshold) / 100, metric: metric === 'ALL' ? null : metric },
  });
  useEvery(COUNTED_EVERY_MS, refetch);
  const shown = data?.usageStandings;
  return (
    <Stack component="section" gap="sm" aria-labelledby="usage-standings">
      <Group justify="space-between">
        <Title order={2} size="h4" id="usage-standings">
          {t('standings.title')}
        </Title>
        <Group gap="sm">
          <SegmentedControl
            size="xs"
            aria-label={t('standings.metric')}
            value={metric}
            onChange={(value) => onMetric(value as MetricChoice)}
            data={[
              { value: 'ALL', label: t('standings.all') },
              ...METRICS.map(({ key, name }) => ({ value: key, label: t(`metric.${name}`) })),
            ]}
          />
          <SegmentedControl
            size="xs"
            aria-label={t('standings.threshold')}
            value={threshold}
            onChange={onThreshold}
            data={THRESHOLDS.map((value) => ({
              value,
              label: value === '0' ? t('standings.any') : `≥ ${percent(Number(value) / 100)}`,
            }))}
          />
        </Group>
      </Group>
      <Card withBorder padding={0}>
        {shown ? (
          shown.length > 0 ? (
            <StandingsTable standings={shown} />
          ) : (
            <Nobody metric={metric} threshold={threshold} />
          )
        ) : error ? (
          <Failed error={error} retry={refetch} />
        ) : (
          <Stack gap="md" p="md" aria-busy>
            {[0, 1, 2, 3].map((index) => (
              <Skeleton key={index} height={44} />
            ))}
          </Stack>
        )}
      </Card>
      {shown?.length === MOST && (
        <Text size="sm" c="dimmed">
          {t('standings.more', { count: MOST })}
        </Text>
      )}
    </Stack>
  );
}

/** Nobody is near a limit; or there are no limits to be near to. */
function Nobody({ metric, threshold }: { metric: MetricChoice; threshold: string }) {
  const { t } = useTranslation('usage');
  const { percent } = useFormats();
  const { data } = useFresh({ query: UsageStandingsDocument, variables: { first: 1, minRatio: 0 } });
  if (data?.usageStandings.length === 0)
    return <Empty icon={IconInfinity} title={t('standings.noLimits')} text={t('standings.noLimitsText')} />;
  const limit = percent(Number(threshold) / 100);
  const about = metric === 'ALL' ? t('standings.anyLimit') : t(`standings.limitOf.${metric}`);
  return <Empty icon={IconGauge} title={t('standings.nobody')} text={t('standings.nobodyText', { about, limit })} />;
}

function StandingsTable({ standings }: { standings: Standing[] }) {
  const { t } = useTranslation('usage');
  return (
    <Table
      aria-labelledby="usage-standings"
      verticalSpacing="sm"
      horizontalSpacing="md"
      className={`${stacked.stacked} ${classes.standings}`}
      data-testid="usage-standings"
    >
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{t('standings.tenant')}</Table.Th>
          <Table.Th scope="col">{t('standings.used')}</Table.Th>
          <Table.Th scope="col">{t('standings.forecast')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {standings.map((standing) => (
          <Row key={`${standing.tenant.id} ${standing.metric}`} standing={standing} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ standing: { tenant, metric, used, limit, ratio, forecastDate } }: { standing: Standing }) {
  const { t } = useTranslation('usage');
  const { name } = METRICS.find(({ key }) => key === metric)!;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        <Anchor component={Link} to={`/tenants/${tenant.id}`} fw={600} size="sm" lineClamp={2}>
          {tenant.name}
        </Anchor>
        <Group gap={6}>
          <Text size="xs" c="dimmed">
            {tenant.slug}
          </Text>
          {tenant.status === 'SUSPENDED' && (
            <Badge size="xs" variant="light" color="orange">
              {t('standings.suspended')}
            </Badge>
          )}
        </Group>
      </Table.Th>
      <Table.Td>
        <UsageBar label={t(`metric.${name}`)} used={used} limit={limit} />
      </Table.Td>
      <Table.Td>{ratio >= 1 ? <Reached over={ratio > 1} /> : <Forecast day={forecastDate} />}</Table.Td>
    </Table.Tr>
  );
}

function Reached({ over }: { over: boolean }) {
  const { t } = useTranslation('usage');
  return (
    <Badge color="red" variant="light" leftSection={<IconAlertTriangle size={14} aria-hidden />}>
      {t(over ? 'standings.exceeded' : 'standings.reached')}
    </Badge>
  );
}

function Forecast({ day }: { day: string | null }) {
  const { t, i18n } = useTranslation('usage');
  if (!day)
    return (
      <Text size="sm" c="dimmed">
        {t('standings.notInSight')}
      </Text>
    );
  const relative = new Intl.RelativeTimeFormat(localeOf(i18n.language), { numeric: 'auto' }).format(
    daysUntil(day),
    'day',
  );
  const date = new Intl.DateTimeFormat(localeOf(i18n.language), {
    day: 'numeric',
    month: 'long',
    year: new Date(day).getUTCFullYear() === new Date().getFullYear() ? undefined : 'numeric',
    timeZone: 'UTC',
  });
  return (
    <Text size="sm">
      <Text span inherit fw={600}>
        {relative}
      </Text>
      {`, ${date.format(new Date(day))}`}
    </Text>
  );
}
