/** Open or closed at this moment, by the business's own clock, and until when. */
import { Badge, Box, Button, Group, Paper, Skeleton, Stack, Text } from '@mantine/core';
import { IconClockPause, IconWorld } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { useConnection } from '../../api/live.ts';
import type { HoursStatusFragment } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { useNow } from '../../ui/now.ts';
import { Failed } from '../../ui/states.tsx';
import { clockAt, dateText, instantText, lengthText, offsetText, timeText, weekdayName } from './clock-text.ts';
import { todayIn, weekdayOf } from './dates.ts';
import classes from './status-card.module.css';
import type { LiveStatus } from './use-status.ts';

interface Props {
  live: LiveStatus;
  /** Of the division, where one was asked for. */
  division?: string;
  /** Given where the zone may be changed. */
  onChangeZone?(): void;
}

export function StatusCard({ live: { status, error, retry }, division, onChangeZone }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const language = localeOf(i18n.language);
  const now = useNow(1000);
  const connection = useConnection();
  if (!status && error) return <Failed error={error} retry={retry} />;
  if (!status) return <Skeleton height={126} radius="md" aria-busy />;

  const isOpen = status.isWorkingHours;
  const zone = status.timezone;
  const isLost = connection.state === 'lost';
  return (
    <Paper
      component="section"
      aria-label={t('status.title')}
      withBorder
      radius="md"
      className={classes.card}
      data-open={isOpen}
      data-old={isLost || undefined}
      data-testid="hours-status"
    >
      <Group justify="space-between" gap="md" align="stretch">
        <Stack gap={4} justify="center" className={classes.words}>
          <Group gap="sm">
            <Box className={classes.light} aria-hidden />
            <Text className={classes.state} role="status" data-testid="hours-state">
              {t(isOpen ? 'status.open' : 'status.closed')}
            </Text>
            {isLost && (
              <Badge color="gray" variant="light" tt="none" leftSection={<IconClockPause size={14} aria-hidden />}>
                {t('status.old', { time: clockAt(new Date(connection.since), zone, language) })}
              </Badge>
            )}
          </Group>
          <Text fw={500} data-testid="hours-next">
            {nextText(status, now, language, t)}
          </Text>
          <Text size="sm" c="dimmed">
            {[reasonText(status, language, t), division].filter(Boolean).join(' · ')}
          </Text>
        </Stack>
        <Stack gap={2} justify="center" className={classes.clock}>
          <Text className={classes.time} data-testid="hours-clock">
            {clockAt(new Date(now), zone, language)}
          </Text>
          <Text size="sm" c="dimmed">
            {instantText(new Date(now), zone, language, { weekday: 'long', day: 'numeric', month: 'long' })}
          </Text>
          <Group gap={6} wrap="nowrap">
            <IconWorld size={16} aria-hidden />
            <Text size="sm">{`${zone.replaceAll('_', ' ')} (${offsetText(zone, new Date(now))})`}</Text>
            {onChangeZone && (
              <Button size="compact-sm" variant="subtle" onClick={onChangeZone} aria-label={t('zone.change')}>
                {t('change')}
              </Button>
            )}
          </Group>
        </Stack>
      </Group>
    </Paper>
  );
}

function nextText(
  { isWorkingHours, nextChangeAt, timezone }: HoursStatusFragment,
  now: number,
  language: string,
  t: TFunction<'working-hours'>,
): string {
  if (!nextChangeAt) return t(isWorkingHours ? 'status.always' : 'status.never');
  const at = new Date(nextChangeAt);
  const isToday = todayIn(timezone, now) === todayIn(timezone, at.getTime());
  const isSoon = at.getTime() - now < 6 * 86_400_000;
  const clock = clockAt(at, timezone, language);
  const day = isToday
    ? ''
    : `${instantText(at, timezone, language, isSoon ? { weekday: 'long' } : { weekday: 'short', day: 'numeric', month: 'short' })} `;
  return t(isWorkingHours ? 'status.closesIn' : 'status.opensIn', {
    length: lengthText(at.getTime() - now, language),
    when: `${day}${clock}`,
  });
}

/** Why, in the user's language. */
function reasonText(
  { isWorkingHours, rule }: HoursStatusFragment,
  language: string,
  t: TFunction<'working-hours'>,
): string {
  const weekday = weekdayName(weekdayOf(rule.date), language);
  const day = dateText(rule.date, language, { weekday: 'long', day: 'numeric', month: 'long' });
  const times =
    rule.startTime && rule.endTime
      ? `${timeText(rule.startTime, language)}–${timeText(rule.endTime, language)}`
      : undefined;
  if (isWorkingHours && rule.kind === 'EXCEPTION') return t('status.why.special', { name: rule.name, day, times });
  if (isWorkingHours) return t('status.why.week', { weekday, times });
  return rule.kind === 'EXCEPTION'
    ? t('status.why.exception', { name: rule.name, day })
    : t('status.why.none', { weekday });
}
