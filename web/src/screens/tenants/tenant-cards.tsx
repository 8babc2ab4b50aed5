/** Tenants on narrow screens. */
import { Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { TenantRowFragment } from '../../documents.gen.ts';
import { UsageBar } from '../../ui/bar.tsx';
import { useFormats } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Time } from '../../ui/time.tsx';
import { Ending } from './ending.tsx';
import classes from './tenants.module.css';

const PLACEHOLDERS = [0, 1, 2, 3];

interface TenantCardsProps {
  tenants?: readonly TenantRowFragment[];
  changed: ReadonlySet<string>;
}

export function TenantCards({ tenants, changed }: TenantCardsProps) {
  const { t } = useTranslation('tenants');
  if (!tenants) {
    return (
      <Stack gap="sm" aria-busy>
        {PLACEHOLDERS.map((index) => (
          <Skeleton key={index} height={146} />
        ))}
      </Stack>
    );
  }
  return (
    <ul className={classes.cards} aria-label={t('title')}>
      {tenants.map((tenant) => (
        <Card key={tenant.id} tenant={tenant} changed={changed.has(tenant.id)} />
      ))}
    </ul>
  );
}

function Card({ tenant, changed }: { tenant: TenantRowFragment; changed: boolean }) {
  const { t } = useTranslation('tenants');
  const { country } = useFormats();
  const { id, name, slug, status, limits, usage, createdAt } = tenant;
  return (
    <li className={`${classes.card} ${changed ? classes.changed : ''}`} data-testid="tenant-row">
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
        <div style={{ minWidth: 0 }}>
          <Link to={`/tenants/${id}`} className={classes.name}>
            <Text fw={600} truncate>
              {name}
            </Text>
          </Link>
          <Text size="sm" c="dimmed" truncate>
            {slug}
          </Text>
        </div>
        <div style={{ flex: 'none' }}>
          <StatusBadge status={status} />
          <Ending tenant={tenant} />
        </div>
      </Group>
      <SimpleGrid cols={3} spacing="sm" mt="sm">
        <Figure label={t('column.agents')} used={usage.agentCount} limit={limits.maxAgents} />
        <Figure label={t('column.contacts')} used={usage.contactCount} limit={limits.maxContacts} />
        <Figure label={t('column.messages')} used={usage.messagesThisMonth} limit={limits.maxMessagesMonth} />
      </SimpleGrid>
      <Text size="xs" c="dimmed" mt="sm" component="div">
        {tenant.country && `${country(tenant.country)} · `}
        {t('column.created')} <Time at={createdAt} />
      </Text>
    </li>
  );
}

const Figure = ({ label, used, limit }: { label: string; used: number; limit: number | null }) => (
  <div>
    <Text size="xs" c="dimmed" truncate>
      {label}
    </Text>
    <UsageBar compact label={label} used={used} limit={limit} />
  </div>
);
