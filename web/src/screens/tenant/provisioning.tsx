/** The making of a tenant, step by step as it happens; with what one can do while it is not done. */
import { Alert, Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconRefresh, IconTrashX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient, useMutation } from 'urql';
import {
  CancelProvisioningDocument,
  type ProvisioningStateFragment,
  RetryProvisioningDocument,
  type TenantRowFragment,
} from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { sentenceOf } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Section } from './overview.tsx';
import { Step } from './provisioning-step.tsx';
import classes from './tenant.module.css';

interface ProvisioningProps {
  tenant: Pick<TenantRowFragment, 'id' | 'name'>;
  provisioning: ProvisioningStateFragment;
}

export function Provisioning({ tenant, provisioning }: ProvisioningProps) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [asked, setAsked] = useState(false);
  const [{ fetching }, retry] = useMutation(RetryProvisioningDocument);
  const { state, attempt, steps } = provisioning;
  const unfinished = state !== 'SUCCEEDED' && state !== 'CANCELLING';

  const retryNow = async () => {
    const { error } = await retry({ tenantId: tenant.id });
    if (error) notify.failed(sentenceOf(error, t));
  };
  const cancel = async () => {
    const { error } = await client.mutation(CancelProvisioningDocument, { tenantId: tenant.id }).toPromise();
    return error;
  };

  return (
    <Section
      title={t('provisioning.title')}
      aside={
        <Group gap="xs">
          {attempt > 1 && (
            <Badge variant="default" radius="sm">
              {t('provisioning.attempt', { count: attempt })}
            </Badge>
          )}
          <span role="status">
            <StatusBadge status={state} data-testid="provisioning-state" />
          </span>
        </Group>
      }
    >
      {state === 'RETRYING' && (
        <Alert color="orange" mb="md" p="sm">
          {t('provisioning.retrying')}
        </Alert>
      )}
      {state === 'CANCELLING' && (
        <Alert color="red" mb="md" p="sm">
          {t('provisioning.cancelling')}
        </Alert>
      )}
      <ol className={classes.steps} aria-label={t('provisioning.steps')}>
        {steps.map((step) => (
          <Step key={step.name} step={step} />
        ))}
      </ol>
      <Total steps={steps} done={state === 'SUCCEEDED'} />
      {unfinished && (
        <Group gap="sm" mt="md">
          {state === 'RETRYING' && (
            <Button size="sm" leftSection={<IconRefresh size={16} aria-hidden />} loading={fetching} onClick={retryNow}>
              {t('provisioning.retry')}
            </Button>
          )}
          <Button
            size="sm"
            variant="default"
            leftSection={<IconTrashX size={16} aria-hidden />}
            onClick={() => setAsked(true)}
          >
            {t('provisioning.cancel')}
          </Button>
        </Group>
      )}
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={t('provisioning.cancelTitle', { name: tenant.name })}
        action={t('provisioning.cancel')}
        danger
        onConfirm={cancel}
      >
        <Stack gap="xs">
          <Text size="sm">{t('provisioning.cancelText')}</Text>
        </Stack>
      </Confirm>
    </Section>
  );
}

/** How long all of it took, from the first step's beginning to the last one's end. */
function Total({ steps, done }: { steps: ProvisioningStateFragment['steps']; done: boolean }) {
  const { t } = useTranslation('tenant');
  const { duration } = useFormats();
  const begun = steps.flatMap(({ startedAt }) => (startedAt ? [Date.parse(startedAt)] : []));
  const ended = steps.flatMap(({ finishedAt }) => (finishedAt ? [Date.parse(finishedAt)] : []));
  if (!done || !begun.length || !ended.length) return null;
  return (
    <Text size="sm" c="dimmed" mt="sm">
      {t('provisioning.took', { duration: duration(Math.max(...ended) - Math.min(...begun)) })}
    </Text>
  );
}
