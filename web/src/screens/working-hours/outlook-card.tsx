/** What the week on the left means: how long it is open, what comes next, and what is doubtful about it. */
import { Alert, Badge, Group, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconDoorEnter, IconDoorExit } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { sentenceOf } from '../../ui/errors.ts';
import { clockAt, instantText, numberText } from './clock-text.ts';
import { openSeconds, type Week } from './draft.ts';
import type { OutlookState } from './use-outlook.ts';
import { warningText } from './warning-text.ts';

interface Props extends OutlookState {
  zone: string;
  base: Week;
  week: Week;
  isDirty: boolean;
  /** The entries are not for this caller: their sum is told by the gateway. */
  isHidden: boolean;
}

export function OutlookCard({ outlook, isPending, error, zone, base, week, isDirty, isHidden }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const { t: common } = useTranslation();
  const language = localeOf(i18n.language);
  const hours = isHidden ? outlook?.openHoursPerWeek : openSeconds(week) / 3600;
  const before = openSeconds(base) / 3600;
  const by = (hours ?? 0) - before;
  return (
    <Paper withBorder p="md" radius="md" component="section" aria-label={t('outlook.title')} data-testid="outlook">
      <Stack gap="md">
        <Title order={2} size="h5">
          {t(isDirty ? 'outlook.afterSaving' : 'outlook.title')}
        </Title>
        <Stack gap={2}>
          <Text size="sm" c="dimmed">
            {t('outlook.perWeek')}
          </Text>
          {hours === undefined ? (
            <Skeleton height={32} width={120} />
          ) : (
            <Group gap={8} align="baseline" data-testid="open-hours">
              {isDirty && by !== 0 && (
                <Text c="dimmed" td="line-through">
                  {numberText(before, language)}
                </Text>
              )}
              <Text fz={24} fw={650} lh={1.2}>
                {t('outlook.hours', { count: hours, number: numberText(hours, language) })}
              </Text>
              {isDirty && by !== 0 && (
                <Badge variant="light" color={by > 0 ? 'teal' : 'orange'} tt="none">
                  {`${by > 0 ? '+' : '−'}${numberText(Math.abs(by), language)}`}
                </Badge>
              )}
            </Group>
          )}
        </Stack>
        {(outlook?.warnings.length ?? 0) > 0 && (
          <Alert
            color="orange"
            variant="light"
            p="sm"
            icon={<IconAlertTriangle aria-hidden />}
            title={t('outlook.warnings', { count: outlook!.warnings.length })}
          >
            <Stack gap={6} component="ul" m={0} pl={16}>
              {outlook!.warnings.map((warning) => (
                <Text key={`${warning.kind} ${warning.message}`} size="sm" component="li">
                  {warningText(warning, week, language, t)}
                </Text>
              ))}
            </Stack>
          </Alert>
        )}
        {error && (
          <Alert color="red" variant="light" role="alert">
            {sentenceOf(error, common)}
          </Alert>
        )}
        <Stack gap={6}>
          <Text size="sm" c="dimmed">
            {t('outlook.coming')}
          </Text>
          {!outlook && !error && <Skeleton height={216} />}
          {outlook && (
            <Stack
              gap={0}
              component="ol"
              m={0}
              p={0}
              aria-busy={isPending}
              style={{ listStyle: 'none', opacity: isPending ? 0.6 : 1 }}
            >
              {outlook.changes.map(({ at, isWorkingHours }) => (
                <Group key={at} component="li" gap={8} wrap="nowrap" h={27}>
                  {isWorkingHours ? (
                    <IconDoorEnter size={16} color="var(--mantine-color-teal-6)" aria-hidden />
                  ) : (
                    <IconDoorExit size={16} color="var(--mantine-color-gray-6)" aria-hidden />
                  )}
                  <Text size="sm" flex={1} truncate>
                    {instantText(new Date(at), zone, language, { weekday: 'short', day: 'numeric', month: 'short' })}
                  </Text>
                  <Text size="sm" fw={600} style={{ fontVariantNumeric: 'tabular-nums' }}>
                    {clockAt(new Date(at), zone, language)}
                  </Text>
                  <Text size="xs" c="dimmed" w={52}>
                    {t(isWorkingHours ? 'outlook.opens' : 'outlook.closes')}
                  </Text>
                </Group>
              ))}
              {outlook.changes.length === 0 && <Text size="sm">{t('outlook.noChange')}</Text>}
            </Stack>
          )}
        </Stack>
      </Stack>
    </Paper>
  );
}
