/** The components of one kind; those that are not configured quietly at the end. */
import { Code, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { HealthTimelineQuery } from '../../documents.gen.ts';
import { useNow } from '../../ui/now.ts';
import { ComponentCard } from './component-card.tsx';
import { type ComponentName, GROUPS, type GroupName, ICONS, type Report, SETTINGS, type State } from './components.ts';
import classes from './health.module.css';
import { type RangeName, stretchesOf } from './timeline.ts';

interface ComponentGroupProps {
  group: GroupName;
  report: Report;
  range: RangeName;
  timeline?: HealthTimelineQuery['healthTimeline'];
}

export function ComponentGroup({ group, report, range, timeline }: ComponentGroupProps) {
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
    <div className={classes.unconfigured}>
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
    </div>
  );
}
