/** Whether what is seen is live. */
import { Badge, Loader, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useConnection } from '../api/live.ts';
import { useFormats } from '../ui/format.ts';
import { Dot } from '../ui/status-badge.tsx';
import classes from './shell.module.css';

const COLORS = { live: 'teal', connecting: 'gray', idle: 'gray', lost: 'yellow' } as const;

export function ConnectionBadge() {
  const { t } = useTranslation('shell');
  const { state } = useConnection();
  const color = COLORS[state];
  return (
    <div role="status" data-testid="connection" data-state={state}>
      <Badge
        variant="light"
        color={color}
        size="lg"
        leftSection={state === 'live' ? <Dot color="teal" /> : <Loader size={10} color={color} aria-hidden />}
      >
        {t(`connection.${state}`)}
      </Badge>
    </div>
  );
}

export function LostBanner() {
  const { t } = useTranslation('shell');
  const { time } = useFormats();
  const connection = useConnection();
  if (connection.state !== 'lost') return null;
  return (
    <div className={classes.lost} role="alert" data-testid="connection-lost">
      <IconPlugConnectedX size={18} aria-hidden style={{ flex: 'none' }} />
      <Text size="sm">
        <strong>{t('lost.title', { time: time(connection.since) })}</strong> {t('lost.text')}
      </Text>
    </div>
  );
}
