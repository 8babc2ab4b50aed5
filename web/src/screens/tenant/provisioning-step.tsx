/** One step of making a tenant: how it stands, how long it took, and why it failed. */
import { Group, Loader, Text } from '@mantine/core';
import { IconCircleCheckFilled, IconCircleDashed, IconCircleXFilled } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ProvisioningStateFragment, ProvisioningStepState } from '../../documents.gen.ts';
import { reasonText } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { useNow } from '../../ui/now.ts';
import classes from './tenant.module.css';

const ICONS: Readonly<Record<ProvisioningStepState, ReactNode>> = {
  DONE: <IconCircleCheckFilled size={22} color="var(--mantine-color-teal-6)" aria-hidden />,
  FAILED: <IconCircleXFilled size={22} color="var(--mantine-color-red-6)" aria-hidden />,
  PENDING: <IconCircleDashed size={22} color="var(--mantine-color-dimmed)" aria-hidden />,
  RUNNING: <Loader size={20} m={1} aria-hidden />,
};

export function Step({ step }: { step: ProvisioningStateFragment['steps'][number] }) {
  const { t } = useTranslation('tenant');
  const { duration } = useFormats();
  const { name, state, attempt, error, startedAt, finishedAt } = step;
  return (
    <li className={classes.step} data-state={state} data-testid={`step-${name}`}>
      <span className={classes.stepIcon}>{ICONS[state]}</span>
      <div className={classes.stepText}>
        <Group justify="space-between" gap="xs" wrap="nowrap">
          <Text size="sm" fw={state === 'PENDING' ? 400 : 600} c={state === 'PENDING' ? 'dimmed' : undefined}>
            {t(`step.${name}`, { defaultValue: name })}
          </Text>
          <Text size="xs" c="dimmed" className={classes.figure}>
            {state === 'RUNNING' && startedAt ? (
              <Elapsed since={Date.parse(startedAt)} />
            ) : startedAt && finishedAt ? (
              duration(Date.parse(finishedAt) - Date.parse(startedAt))
            ) : (
              t(`stepState.${state}`)
            )}
          </Text>
        </Group>
        {attempt > 1 && (
          <Text size="xs" c="dimmed">
            {t('provisioning.attempt', { count: attempt })}
          </Text>
        )}
        {error && state !== 'DONE' && (
          <Text size="xs" c="red" style={{ overflowWrap: 'anywhere' }}>
            {reasonText(error)}
          </Text>
        )}
      </div>
    </li>
  );
}

function Elapsed({ since }: { since: number }) {
  const { duration } = useFormats();
  const now = useNow(1000);
  return duration(Math.max(0, Math.floor((now - since) / 1000) * 1000));
}
