/** The servers, a row each. */
import { Badge, Group, Stack, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { ServerRowFragment } from '../../documents.gen.ts';
import { UsageBar } from '../../ui/bar.tsx';
import { reasonText } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import stacked from '../../ui/stacked.module.css';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { ServerActions } from './server-actions.tsx';
import classes from './servers.module.css';

interface ServerTableProps {
  servers: readonly ServerRowFragment[];
  onChange: () => void;
}

export function ServerTable({ servers, onChange }: ServerTableProps) {
  const { t } = useTranslation('servers');
  return (
    <Table verticalSpacing="sm" horizontalSpacing="md" aria-label={t('list.title')} className={stacked.stacked}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{t('list.name')}</Table.Th>
          <Table.Th scope="col">{t('list.state')}</Table.Th>
          <Table.Th scope="col">{t('list.tenants')}</Table.Th>
          <Table.Th scope="col">{t('list.health')}</Table.Th>
          <Table.Th scope="col" ta="right">
            {t('list.actions')}
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {servers.map((server) => (
          <Row key={server.id} server={server} onChange={onChange} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ server, onChange }: { server: ServerRowFragment; onChange: () => void }) {
  const { t } = useTranslation('servers');
  const { name, region, address, pooledAddress, isHome, state, tenants, leftDatabases, capacity } = server;
  return (
    <Table.Tr data-testid={`server-${name}`}>
      <Table.Th scope="row" fw={400}>
        <Stack gap={0}>
          <Group gap={6}>
            <Text size="sm" fw={600}>
              {name}
            </Text>
            {region && (
              <Badge size="xs" variant="default">
                {region}
              </Badge>
            )}
            {isHome && (
              <Badge size="xs" variant="light">
                {t('home')}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed" className={classes.address}>
            {address}
          </Text>
          {pooledAddress && (
            <Text size="xs" c="dimmed" className={classes.address}>
              {t('pooledBy', { address: pooledAddress })}
            </Text>
          )}
        </Stack>
      </Table.Th>
      <Table.Td data-label={t('list.state')}>
        <StatusBadge status={state} />
      </Table.Td>
      <Table.Td data-label={t('list.tenants')}>
        <UsageBar label={t('list.tenants')} used={tenants} limit={capacity} compact />
      </Table.Td>
      <Table.Td data-label={t('list.health')}>
        <Health {...server.health} />
        {leftDatabases > 0 && (
          <Text size="xs" c="dimmed">
            {t('left', { count: leftDatabases })}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={classes.actions}>
        <ServerActions server={server} onChange={onChange} />
      </Table.Td>
    </Table.Tr>
  );
}

function Health({ status, latencyMs, error }: ServerRowFragment['health']) {
  const { t } = useTranslation('servers');
  const { latency } = useFormats();
  return (
    <Stack gap={2} align="flex-start">
      <StatusBadge status={status} />
      {status === 'DOWN' ? (
        <Text size="xs" c="var(--mantine-color-error)">
          {error && reasonText(error)}
        </Text>
      ) : (
        typeof latencyMs === 'number' && (
          <Text size="xs" c="dimmed">
            {t('ms', { value: latency(latencyMs) })}
          </Text>
        )
      )}
    </Stack>
  );
}
