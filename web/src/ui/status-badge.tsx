/** Where something stands, by colour and by word. */
import { Badge, type BadgeProps, type MantineColor } from '@mantine/core';
import { useTranslation } from 'react-i18next';

const COLORS = {
  ACTIVE: 'teal',
  PROVISIONING: 'blue',
  SUSPENDED: 'orange',
  REMOVED: 'gray',
  UP: 'teal',
  OK: 'teal',
  DEGRADED: 'yellow',
  DOWN: 'red',
  NOT_CONFIGURED: 'gray',
  OPEN: 'teal',
  DRAINING: 'orange',
  CLOSED: 'gray',
  QUEUED: 'gray',
  RUNNING: 'blue',
  RETRYING: 'orange',
  SUCCEEDED: 'teal',
  CANCELLING: 'red',
  PAUSED: 'yellow',
  STOPPED: 'red',
  FINISHED: 'teal',
  CANCELLED: 'gray',
  COPYING: 'blue',
  SWITCHING: 'blue',
  SWITCHED: 'teal',
  FINISHING: 'blue',
  UNDOING: 'blue',
  UNDONE: 'gray',
  FAILED: 'red',
} as const satisfies Record<string, MantineColor>;

export type Status = keyof typeof COLORS;

export function StatusBadge({ status, ...props }: { status: Status } & Omit<BadgeProps, 'color' | 'children'>) {
  const { t } = useTranslation();
  const color = COLORS[status];
  return (
    <Badge variant="light" color={color} leftSection={<Dot color={color} />} data-status={status} {...props}>
      {t(`status.${status}`)}
    </Badge>
  );
}

/** A point of colour; never alone: a word stands beside it. */
export const Dot = ({ color, size = 8 }: { color: MantineColor; size?: number }) => (
  <span
    aria-hidden
    style={{
      display: 'inline-block',
      flex: 'none',
      width: size,
      height: size,
      borderRadius: '50%',
      background: `var(--mantine-color-${color}-6)`,
    }}
  />
);
