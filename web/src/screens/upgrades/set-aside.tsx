/** Tenants that an upgrade has set aside: why, and the way to have one tried again. */
import { Anchor, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useMutation } from 'urql';
import {
  RetryTenantUpgradeHereDocument,
  type TenantUpgradeStateFragment,
  type UpgradeRunStateFragment,
} from '../../documents.gen.ts';
import { sentenceOf } from '../../ui/errors.ts';
import { notify } from '../../ui/notify.tsx';

interface SetAsideProps {
  run: UpgradeRunStateFragment;
  tenants: TenantUpgradeStateFragment[];
  onChange: () => void;
}

export function SetAside({ run, tenants, onChange }: SetAsideProps) {
  const { t } = useTranslation('upgrades');
  const heading = useId();
  return (
    <Stack component="section" gap="sm" aria-labelledby={heading}>
      <div>
        <Title order={2} size="h4" id={heading}>
          {t('setAside.title')}
        </Title>
        <Text size="sm" c="dimmed">
          {t('setAside.text')}
        </Text>
      </div>
      <Card withBorder padding="md">
        <Stack gap="md">
          {tenants.map((tenant) => (
            <Row key={tenant.tenantId} tenant={tenant} mayRetry={run.state !== 'CANCELLED'} onChange={onChange} />
          ))}
          {run.failed > tenants.length && (
            <Text size="sm" c="dimmed">
              {t('setAside.more', { count: run.failed - tenants.length })}
            </Text>
          )}
        </Stack>
      </Card>
    </Stack>
  );
}

interface RowProps {
  tenant: TenantUpgradeStateFragment;
  mayRetry: boolean;
  onChange: () => void;
}

function Row({ tenant: { tenantId, slug, error: reason }, mayRetry, onChange }: RowProps) {
  const { t } = useTranslation('upgrades');
  const [{ fetching }, retry] = useMutation(RetryTenantUpgradeHereDocument);
  const again = async () => {
    const { error } = await retry({ tenantId });
    if (error) notify.failed(sentenceOf(error, t));
    onChange();
  };
  return (
    <Group justify="space-between" align="flex-start" gap="sm" data-testid="set-aside">
      <Stack gap={2} flex={1} miw={220}>
        <Anchor component={Link} to={`/tenants/${tenantId}`} size="sm" fw={600}>
          {slug}
        </Anchor>
        <Text size="sm" c="red" style={{ overflowWrap: 'anywhere' }}>
          {reason}
        </Text>
      </Stack>
      {mayRetry && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={fetching}
          onClick={again}
          aria-label={t('setAside.retryOf', { slug })}
        >
          {t('setAside.retry')}
        </Button>
      )}
    </Group>
  );
}
