/** The whole platform in one line. */
import { Anchor, Card, Group, Text, ThemeIcon } from '@mantine/core';
import { IconAlertOctagon, IconCircleCheck, IconPlugConnectedX } from '@tabler/icons-react';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { type Report, statesOf } from './components.ts';

export function Banner({ report, stale }: { report: Report; stale: boolean }) {
  const { t } = useTranslation('health');
  const down = statesOf(report).filter(({ state }) => state.status === 'DOWN');
  const idle = report.workers === 0;
  const servers = (report.databaseServers ?? []).filter(({ status }) => status === 'DOWN');
  const count = down.length + servers.length;
  const look = stale
    ? { color: 'yellow', Icon: IconPlugConnectedX, title: t('banner.stale') }
    : count
      ? { color: 'red', Icon: IconAlertOctagon, title: t('banner.degraded', { count }) }
      : idle
        ? { color: 'red', Icon: IconAlertOctagon, title: t('banner.noWorker') }
        : { color: 'teal', Icon: IconCircleCheck, title: t('banner.ok') };
  return (
    <Card withBorder padding="md" bg={`var(--mantine-color-${look.color}-light)`} data-testid="health-banner">
      <Group gap="md" wrap="nowrap">
        <ThemeIcon size={42} radius="xl" color={look.color}>
          <look.Icon size={24} aria-hidden />
        </ThemeIcon>
        <div>
          <Text fw={650} size="lg" lh={1.3}>
            {look.title}
          </Text>
          <Text size="sm" component="div">
            {stale
              ? t('banner.staleText')
              : count
                ? [
                    ...down.map(({ name }) => ({ to: `#component-${name}`, label: t(`component.${name}`) })),
                    ...servers.map(({ id, name }) => ({ to: `#server-${id}`, label: t('server.named', { name }) })),
                  ].map(({ to, label }, index) => (
                    <Fragment key={to}>
                      {index > 0 && ', '}
                      <Anchor href={to} inherit c="inherit" underline="always">
                        {label}
                      </Anchor>
                    </Fragment>
                  ))
                : t(idle ? 'banner.noWorkerText' : 'banner.okText')}
          </Text>
        </div>
      </Group>
    </Card>
  );
}
