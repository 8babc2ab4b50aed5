/** One component: how it stands, since when, how fast it answers, and how that was lately. */
import { Badge, Card, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconAlertOctagon, IconCircleCheck } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { reasonText } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { Time } from '../../ui/time.tsx';
import { type ComponentName, ICONS, type State } from './components.ts';
import classes from './health.module.css';
import { History } from './history.tsx';
import { downSince, type RangeName, type Stretch } from './timeline.ts';

interface ComponentCardProps {
  name: ComponentName;
  state: State;
  range: RangeName;
  stretches?: Stretch[];
}

export function ComponentCard({ name, state, range, stretches }: ComponentCardProps) {
  const { t } = useTranslation('health');
  const { latency } = useFormats();
  const down = state.status === 'DOWN';
  const Icon = ICONS[name];
  const StateIcon = down ? IconAlertOctagon : IconCircleCheck;
  const title = t(`component.${name}`);
  const { since } = state;
  const history = useMemo(
    () => (down && stretches ? downSince(stretches, since ? Date.parse(since) : Number.POSITIVE_INFINITY) : stretches),
    [down, since, stretches],
  );
  return (
    <Card
      withBorder
      padding="md"
      component="article"
      id={`component-${name}`}
      aria-label={title}
      className={classes.card}
      data-status={state.status}
      data-testid={`health-${name}`}
    >
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Group gap="xs" wrap="nowrap" miw={0}>
          <ThemeIcon variant="light" color={down ? 'red' : 'gray'} size={32}>
            <Icon size={18} aria-hidden />
          </ThemeIcon>
          <Title order={3} size="h6" style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
        </Group>
        <Badge
          color={down ? 'red' : 'teal'}
          variant={down ? 'filled' : 'light'}
          leftSection={<StateIcon size={14} aria-hidden />}
          style={{ flex: 'none' }}
        >
          {t(`state.${state.status}`)}
        </Badge>
      </Group>
      <Stack gap={2} mt="sm" mih={44}>
        {down ? (
          <Text size="sm" c="var(--mantine-color-error)" style={{ overflowWrap: 'anywhere' }}>
            {state.error ? reasonText(state.error) : t('noReason')}
          </Text>
        ) : (
          <Text className={classes.latency}>
            {typeof state.latencyMs === 'number' ? t('ms', { value: latency(state.latencyMs) }) : t('self')}
          </Text>
        )}
        {state.since && <Since status={state.status} at={state.since} />}
      </Stack>
      <History name={title} range={range} stretches={history} />
    </Card>
  );
}

function Since({ status, at }: { status: State['status']; at: string }) {
  const { t } = useTranslation('health');
  const { time, date } = useFormats();
  const when = new Date(at);
  const today = when.toDateString() === new Date().toDateString();
  return (
    <Text size="xs" c="dimmed" component="div">
      {t(`since.${status}`, { when: today ? time(when) : `${date(when)}, ${time(when)}` })}
      {' · '}
      <Time at={at} />
    </Text>
  );
}
