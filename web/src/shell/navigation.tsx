/** Where one can go. */
import { Group, NavLink, VisuallyHidden } from '@mantine/core';
import {
  IconActivityHeartbeat,
  IconBuildingCommunity,
  IconChartBar,
  IconClockHour4,
  IconDatabaseImport,
  IconHistory,
  type IconProps,
  IconServer2,
  IconShieldLock,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import { useSubscription } from 'urql';
import { useConnection } from '../api/live.ts';
import { HealthSignDocument } from '../documents.gen.ts';
import { Dot } from '../ui/status-badge.tsx';
import type { Side } from './shell.tsx';

const PLACES: Readonly<Record<Side, [name: string, icon: ComponentType<IconProps>][]>> = {
  platform: [
    ['tenants', IconBuildingCommunity],
    ['usage', IconChartBar],
    ['health', IconActivityHeartbeat],
    ['upgrades', IconDatabaseImport],
    ['servers', IconServer2],
    ['audit', IconHistory],
    ['admins', IconShieldLock],
  ],
  tenant: [['working-hours', IconClockHour4]],
};

export function Navigation({ side }: { side: Side }) {
  const { t } = useTranslation('shell');
  const { pathname } = useLocation();
  return (
    <nav aria-label={t('navigation')}>
      {PLACES[side].map(([name, Icon]) => {
        const here = pathname === `/${name}` || pathname.startsWith(`/${name}/`);
        return (
          <NavLink
            key={name}
            component={Link}
            to={`/${name}`}
            label={name === 'health' ? <HealthLabel /> : t(`place.${name}`)}
            leftSection={<Icon size={20} stroke={1.6} aria-hidden />}
            active={here}
            aria-current={here ? 'page' : undefined}
            variant="light"
            mb={4}
            style={{ borderRadius: 'var(--mantine-radius-md)', fontWeight: here ? 600 : 500 }}
          />
        );
      })}
    </nav>
  );
}

/** With a point that says how the platform stands, wherever one is. */
function HealthLabel() {
  const { t } = useTranslation('shell');
  const { t: common } = useTranslation();
  const { state } = useConnection();
  const [{ data }] = useSubscription({ query: HealthSignDocument });
  const status = state === 'live' ? data?.systemHealthChanged.health.status : undefined;
  return (
    <Group justify="space-between" gap="xs">
      {t('place.health')}
      {status && (
        <>
          <Dot color={status === 'OK' ? 'teal' : 'red'} />
          <VisuallyHidden>{common(`status.${status}`)}</VisuallyHidden>
        </>
      )}
    </Group>
  );
}
