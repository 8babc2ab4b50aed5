/** How a tenant stands: its making, and what it uses of what it may. */
import { Divider, Grid, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ProvisioningStateFragment, TenantQuery } from '../../documents.gen.ts';
import { UsageBar } from '../../ui/bar.tsx';
import { useFormats } from '../../ui/format.ts';
import { Time } from '../../ui/time.tsx';
import { Move } from './move.tsx';
import { Provisioning } from './provisioning.tsx';
import { UsageHistory } from './usage-history.tsx';

interface OverviewProps {
  tenant: TenantQuery['tenant'];
  provisioning: ProvisioningStateFragment;
}

export function Overview({ tenant, provisioning }: OverviewProps) {
  const { t } = useTranslation('tenant');
  const { number } = useFormats();
  const { usage, limits } = tenant;
  const making = (
    <Grid.Col span={{ base: 12, md: 5 }}>
      <Stack gap="lg">
        <Provisioning tenant={tenant} provisioning={provisioning} />
        <Move tenant={tenant} />
      </Stack>
    </Grid.Col>
  );
  // As it was when one came: nothing changes places under one's eyes.
  const [unfinished] = useState(tenant.status === 'PROVISIONING');
  return (
    <Grid gap="lg">
      {/* While it is being made, that is what one came to see. */}
      {unfinished && making}
      <Grid.Col span={{ base: 12, md: 7 }}>
        <Stack gap="lg">
          <Section
            title={t('usage.title')}
            aside={
              <>
                {t('usage.updated')} <Time at={usage.updatedAt} focusable />
              </>
            }
          >
            <Stack gap="md">
              <UsageBar label={t('usage.agents')} used={usage.agentCount} limit={limits.maxAgents} />
              <UsageBar label={t('usage.contacts')} used={usage.contactCount} limit={limits.maxContacts} />
              <UsageBar label={t('usage.messages')} used={usage.messagesThisMonth} limit={limits.maxMessagesMonth} />
            </Stack>
            <Divider my="md" />
            <Group gap="xl">
              <Fact label={t('usage.integrations')} value={number(usage.activeIntegrations)} />
              {tenant.databaseServer && <Fact label={t('usage.server')} value={tenant.databaseServer.name} />}
              <Fact label={t('usage.schema')} value={number(tenant.schemaVersion)} />
            </Group>
          </Section>
          <Section title={t('history.title')}>
            <UsageHistory tenantId={tenant.id} />
          </Section>
        </Stack>
      </Grid.Col>
      {!unfinished && making}
    </Grid>
  );
}

interface SectionProps {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}

export const Section = ({ title, aside, children }: SectionProps) => (
  <Paper component="section" withBorder p={{ base: 'md', xs: 'lg' }}>
    <Group justify="space-between" mb="md" gap="xs">
      <Title order={2} size="h4">
        {title}
      </Title>
      {aside && (
        <Text size="sm" c="dimmed" component="div">
          {aside}
        </Text>
      )}
    </Group>
    {children}
  </Paper>
);

const Fact = ({ label, value }: { label: string; value: string }) => (
  <div>
    <Text size="xs" c="dimmed">
      {label}
    </Text>
    <Text size="sm" fw={600}>
      {value}
    </Text>
  </div>
);
