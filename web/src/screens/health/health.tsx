/** How the platform stands, component by component, as it changes. */
import {
  Card,
  Code,
  Group,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  ThemeIcon,
  Title,
} from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useConnection } from '../../api/live.ts';
import { useFormats } from '../../ui/format.ts';
import { useNow } from '../../ui/now.ts';
import { Page } from '../../ui/page.tsx';
import { Failed } from '../../ui/states.tsx';
import { Announcer } from './announcer.tsx';
import { Banner } from './banner.tsx';
import { ComponentCard } from './component-card.tsx';
import {
  CHANNELS,
  type ChannelName,
  type ComponentName,
  GROUPS,
  type GroupName,
  ICONS,
  type Report,
  SETTINGS,
  type State,
} from './components.ts';
import classes from './health.module.css';
import { RANGES, type RangeName, stretchesOf } from './timeline.ts';
import { useHealth } from './use-health.ts';

export default function Health() {
  const { t } = useTranslation('health');
  const [range, setRange] = useState<RangeName>('hour');
  const { report, error, timeline, refetch } = useHealth(range);
  const connection = useConnection();
  const stale = connection.state === 'lost' || (error !== undefined && report !== undefined);
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <SegmentedControl
          aria-label={t('range.label')}
          value={range}
          onChange={(value) => setRange(value as RangeName)}
          data={(Object.keys(RANGES) as RangeName[]).map((value) => ({ value, label: t(`range.${value}`) }))}
        />
      }
    >
      {report ? (
        <>
          <Announcer report={report} />
          <Banner report={report} stale={stale} />
          <Stack gap="xl" className={classes.content} data-stale={stale || undefined}>
            {(Object.keys(GROUPS) as GroupName[]).map((group) => (
              <ComponentGroup key={group} group={group} report={report} range={range} timeline={timeline} />
            ))}
            <Channels platforms={report.platforms} />
            <Tenants counts={report.tenants} />
          </Stack>
        </>
      ) : error ? (
        <Failed error={error} retry={refetch} />
      ) : (
        <HealthSkeleton />
      )}
    </Page>
  );
}

interface ComponentGroupProps {
  group: GroupName;
  report: Report;
  range: RangeName;
  timeline: ReturnType<typeof useHealth>['timeline'];
}

function ComponentGroup({ group, report, range, timeline }: ComponentGroupProps) {
  const { t } = useTranslation('health');
  const now = useNow();
  const histories = useMemo(
    () => new Map(timeline?.map(({ component, buckets }) => [component, stretchesOf(buckets, range, now)])),
    [timeline, range, now],
  );
  const empty = useMemo(() => stretchesOf([], range, now), [range, now]);
  const states = report[group] as Record<string, State>;
  const configured = GROUPS[group].filter((name) => states[name]!.status !== 'NOT_CONFIGURED');
  const others = GROUPS[group].filter((name) => states[name]!.status === 'NOT_CONFIGURED');
  const up = configured.filter((name) => states[name]!.status === 'UP').length;
  return (
    <Stack component="section" gap="sm" aria-labelledby={`group-${group}`}>
      <Group justify="space-between" align="baseline">
        <Title order={2} size="h4" id={`group-${group}`}>
          {t(`group.${group}`)}
        </Title>
        <Text size="sm" c="dimmed">
          {t('upOf', { up, all: configured.length })}
        </Text>
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="md">
        {configured.map((name) => (
          <ComponentCard
            key={name}
            name={name}
            state={states[name]!}
            range={range}
            stretches={timeline && (histories.get(name) ?? empty)}
          />
        ))}
      </SimpleGrid>
      {others.length > 0 && <NotConfigured names={others} />}
    </Stack>
  );
}

function NotConfigured({ names }: { names: ComponentName[] }) {
  const { t } = useTranslation('health');
  return (
    <Group gap="lg" align="flex-start" wrap="nowrap">
      <Text size="sm" c="dimmed" id={`quiet-${names[0]}`} style={{ flex: 'none' }}>
        {t('notConfigured')}
      </Text>
      <ul className={classes.quiet} aria-labelledby={`quiet-${names[0]}`}>
        {names.map((name) => {
          const Icon = ICONS[name];
          return (
            <li key={name} data-testid={`health-${name}`}>
              <Icon size={16} aria-hidden color="var(--mantine-color-dimmed)" />
              <Text size="sm" c="dimmed">
                {t(`component.${name}`)}
              </Text>
              {SETTINGS[name] && <Code fz={11}>{SETTINGS[name]}</Code>}
            </li>
          );
        })}
      </ul>
    </Group>
  );
}

function Channels({ platforms }: { platforms: Report['platforms'] }) {
  const { t } = useTranslation('health');
  return (
    <Stack component="section" gap="sm" aria-labelledby="group-channels">
      <Title order={2} size="h4" id="group-channels">
        {t('group.channels')}
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="md">
        {(Object.keys(CHANNELS) as ChannelName[]).map((name) => {
          const Icon = CHANNELS[name];
          const active = platforms[name].status === 'ACTIVE';
          return (
            <Card key={name} withBorder padding="sm" data-testid={`channel-${name}`}>
              <Group gap="sm" wrap="nowrap">
                <ThemeIcon variant="light" color={active ? 'teal' : 'gray'} size={36}>
                  <Icon size={20} aria-hidden />
                </ThemeIcon>
                <div>
                  <Text fw={600} size="sm">
                    {t(`channel.${name}`)}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {t(active ? 'channel.active' : 'channel.inactive')}
                  </Text>
                </div>
              </Group>
            </Card>
          );
        })}
      </SimpleGrid>
    </Stack>
  );
}

function Tenants({ counts }: { counts: Report['tenants'] }) {
  const { t } = useTranslation('health');
  const { number } = useFormats();
  const tiles = [
    { name: 'total', value: counts.total, to: '/tenants' },
    { name: 'active', value: counts.active, to: '/tenants?status=ACTIVE' },
    { name: 'suspended', value: counts.suspended, to: '/tenants?status=SUSPENDED' },
  ] as const;
  return (
    <Stack component="section" gap="sm" aria-labelledby="group-tenants">
      <Title order={2} size="h4" id="group-tenants">
        {t('group.tenants')}
      </Title>
      <SimpleGrid cols={3} spacing="md">
        {tiles.map(({ name, value, to }) => (
          <Card key={name} withBorder padding="sm" component={Link} to={to} className={classes.count}>
            <Text className={classes.latency}>{number(value)}</Text>
            <Text size="xs" c="dimmed">
              {t(`tenants.${name}`)}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
    </Stack>
  );
}

const HealthSkeleton = () => (
  <Stack gap="xl" aria-busy>
    <Skeleton height={74} />
    {[6, 4].map((count) => (
      <Stack key={count} gap="sm">
        <Skeleton height={24} width={160} />
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="md">
          {Array.from({ length: count }, (_, index) => index).map((index) => (
            <Skeleton key={index} height={210} />
          ))}
        </SimpleGrid>
      </Stack>
    ))}
  </Stack>
);
