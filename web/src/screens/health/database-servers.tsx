/** The registered database servers, and whom one that is away affects. */
import { Anchor, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { reasonText } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { Report } from './components.ts';

type Server = NonNullable<Report['databaseServers']>[number];

export function DatabaseServers({ servers }: { servers: readonly Server[] }) {
  const { t } = useTranslation('health');
  return (
    <Stack component="section" gap="sm" aria-labelledby="group-servers">
      <Title order={2} size="h4" id="group-servers">
        {t('group.servers')}
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="md">
        {servers.map((server) => (
          <ServerCard key={server.id} {...server} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function ServerCard({ id, name, status, latencyMs, error, affected }: Server) {
  const { t } = useTranslation('health');
  const { latency } = useFormats();
  return (
    <Card withBorder padding="md" component="article" id={`server-${id}`} data-testid={`health-server-${name}`}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Title order={3} size="h6" style={{ overflowWrap: 'anywhere' }}>
          {name}
        </Title>
        <StatusBadge status={status} style={{ flex: 'none' }} />
      </Group>
      {affected ? (
        <Stack gap={2} mt="sm">
          <Text size="sm" c="var(--mantine-color-error)" style={{ overflowWrap: 'anywhere' }}>
            {error ? reasonText(error) : t('noReason')}
          </Text>
          <Text size="sm" component="div">
            {t('server.affected', { count: affected.count })}
            {affected.first.map((tenant, index) => (
              <Fragment key={tenant.id}>
                {index > 0 ? ', ' : ' '}
                <Anchor component={Link} to={`/tenants/${tenant.id}`} inherit>
                  {tenant.name}
                </Anchor>
              </Fragment>
            ))}
            {affected.count > affected.first.length && ', …'}
          </Text>
        </Stack>
      ) : (
        typeof latencyMs === 'number' && (
          <Text size="sm" c="dimmed" mt="sm">
            {t('ms', { value: latency(latencyMs) })}
          </Text>
        )
      )}
    </Card>
  );
}
