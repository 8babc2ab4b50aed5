/** The newest upgrade: how far it is, and what can be done with it. */
import { Alert, Button, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useMutation } from 'urql';
import {
  CancelUpgradeHereDocument,
  PauseUpgradeHereDocument,
  ResumeUpgradeHereDocument,
  type TenantUpgradeStateFragment,
  type UpgradeRunStateFragment,
} from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { sentenceOf } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Time } from '../../ui/time.tsx';
import { isUnfinished } from './use-upgrades.ts';

interface RunCardProps {
  run: UpgradeRunStateFragment;
  /** Tenants that are being upgraded at this moment. */
  underWay: TenantUpgradeStateFragment[] | undefined;
  onChange: () => void;
}

export function RunCard({ run, underWay, onChange }: RunCardProps) {
  const { t } = useTranslation('upgrades');
  return (
    <Card withBorder component="section" aria-label={t('run.title', { version: run.toVersion })}>
      <Stack gap="md">
        <Group justify="space-between" gap="sm">
          <Group gap="sm">
            <Title order={2} size="h4">
              {t('run.title', { version: run.toVersion })}
            </Title>
            <span role="status">
              <StatusBadge status={run.state} data-testid="upgrade-state" />
            </span>
          </Group>
          {isUnfinished(run) && <Buttons run={run} onChange={onChange} />}
        </Group>
        {run.reason && (
          <Alert color="orange" p="sm">
            {run.reason}
          </Alert>
        )}
        <Bar run={run} />
        {isUnfinished(run) && (
          <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {t('run.now')} {underWay?.length ? underWay.map(({ slug }) => slug).join(', ') : t('run.nobody')}
          </Text>
        )}
        <Text size="xs" c="dimmed" component="div">
          {t('run.startedBy', { who: run.startedBy ?? t('run.itself') })} · <Time at={run.createdAt} />
        </Text>
      </Stack>
    </Card>
  );
}

function Bar({ run: { total, done, failed, skipped, wave, waves, canary } }: { run: UpgradeRunStateFragment }) {
  const { t } = useTranslation('upgrades');
  const { number } = useFormats();
  const share = (count: number) => (total === 0 ? 0 : (count * 100) / total);
  const parts = [
    { name: 'done', count: done, color: 'teal' },
    { name: 'failed', count: failed, color: 'red' },
    { name: 'skipped', count: skipped, color: 'gray' },
  ] as const;
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={500} data-testid="upgrade-progress">
          {t('run.progress', { done: number(done), total: number(total) })}
          {failed > 0 && ` · ${t('run.failed', { count: failed })}`}
          {skipped > 0 && ` · ${t('run.skipped', { count: skipped })}`}
        </Text>
        <Text size="sm" c="dimmed">
          {wave === 0 && canary > 0 ? t('run.canary') : t('run.wave', { wave, waves })}
        </Text>
      </Group>
      <Progress.Root size={10} role="presentation">
        {parts.map(({ name, count, color }) => (
          <Progress.Section
            key={name}
            value={share(count)}
            color={color}
            aria-label={t(`part.${name}`)}
            aria-valuetext={number(count)}
          />
        ))}
      </Progress.Root>
    </Stack>
  );
}

function Buttons({ run, onChange }: Pick<RunCardProps, 'run' | 'onChange'>) {
  const { t } = useTranslation('upgrades');
  const [asked, setAsked] = useState(false);
  const [pausing, pause] = useMutation(PauseUpgradeHereDocument);
  const [resuming, resume] = useMutation(ResumeUpgradeHereDocument);
  const [, cancel] = useMutation(CancelUpgradeHereDocument);
  const { id, state, failed, failureBudget } = run;
  const told = ({ error }: { error?: CombinedError }) => {
    if (error) notify.failed(sentenceOf(error, t));
    onChange();
    return error;
  };
  return (
    <Group gap="xs">
      {state === 'RUNNING' ? (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerPause size={16} aria-hidden />}
          loading={pausing.fetching}
          onClick={async () => told(await pause({ id }))}
        >
          {t('run.pause')}
        </Button>
      ) : (
        <Button
          size="xs"
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          loading={resuming.fetching}
          // Whoever goes on after more failures than were allowed allows those that there are.
          onClick={async () => told(await resume({ id, failureBudget: failed > failureBudget ? failed : undefined }))}
        >
          {t(failed > failureBudget ? 'run.resumeAnyway' : 'run.resume', { count: failed })}
        </Button>
      )}
      <Button size="xs" variant="default" leftSection={<IconX size={16} aria-hidden />} onClick={() => setAsked(true)}>
        {t('run.cancel')}
      </Button>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={t('run.cancelTitle')}
        action={t('run.cancel')}
        danger
        onConfirm={async () => told(await cancel({ id }))}
      >
        <Text size="sm">{t('run.cancelText')}</Text>
      </Confirm>
    </Group>
  );
}
