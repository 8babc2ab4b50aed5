/** Upgrades of before, the newest first. */
import { Card, Group, Stack, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { UpgradeRunStateFragment } from '../../documents.gen.ts';
import { useFormats } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Time } from '../../ui/time.tsx';

export function FormerRuns({ runs }: { runs: UpgradeRunStateFragment[] }) {
  const { t } = useTranslation('upgrades');
  const { number } = useFormats();
  return (
    <Stack component="section" gap="sm" aria-label={t('former')}>
      <Title order={2} size="h4">
        {t('former')}
      </Title>
      <Card withBorder padding="md">
        <Stack gap="sm">
          {runs.map(({ id, state, toVersion, done, total, failed, createdAt }) => (
            <Group key={id} justify="space-between" gap="xs">
              <Group gap="sm">
                <Text size="sm" fw={500}>
                  {t('run.title', { version: toVersion })}
                </Text>
                <StatusBadge status={state} size="sm" />
              </Group>
              <Text size="sm" c="dimmed" component="div">
                {t('run.progress', { done: number(done), total: number(total) })}
                {failed > 0 && ` · ${t('run.failed', { count: failed })}`} · <Time at={createdAt} />
              </Text>
            </Group>
          ))}
        </Stack>
      </Card>
    </Stack>
  );
}
