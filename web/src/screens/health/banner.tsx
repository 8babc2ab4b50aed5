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
  const look = stale
    ? { color: 'yellow', Icon: IconPlugConnectedX, title: t('banner.stale') }
    : down.length
      ? { color: 'red', Icon: IconAlertOctagon, title: t('banner.degraded', { count: down.length }) }
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
              : down.length
                ? down.map(({ name }, index) => (
                    <Fragment key={name}>
                      {index > 0 && ', '}
                      <Anchor href={`#component-${name}`} inherit c="inherit" underline="always">
                        {t(`component.${name}`)}
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
