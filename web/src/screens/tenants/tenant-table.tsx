/** Tenants as rows; sorted by their headings. */
import { Skeleton, Table, Text, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { OrderDirection, TenantOrderField, TenantRowFragment } from '../../documents.gen.ts';
import { UsageBar } from '../../ui/bar.tsx';
import { useFormats } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Time } from '../../ui/time.tsx';
import { Ending } from './ending.tsx';
import classes from './tenants.module.css';

export interface Order {
  field: TenantOrderField;
  direction: OrderDirection;
}

interface TenantTableProps {
  /** Absent while they are on their way. */
  tenants?: readonly TenantRowFragment[];
  changed: ReadonlySet<string>;
  order: Order;
  onOrder: (order: Order) => void;
}

const SORTED: Partial<Record<string, TenantOrderField>> = { name: 'NAME', status: 'STATUS', created: 'CREATED_AT' };
const COLUMNS = ['name', 'status', 'country', 'agents', 'contacts', 'messages', 'created'] as const;
/** The same on every page, so that nothing shifts from one to the next; the name has what is left. */
const WIDTHS: Record<(typeof COLUMNS)[number], string | undefined> = {
  name: undefined,
  status: classes.status,
  country: classes.country,
  agents: classes.figure,
  contacts: classes.figure,
  messages: classes.figure,
  created: classes.created,
};
const PLACEHOLDERS = Array.from({ length: 10 }, (_, index) => index);

export function TenantTable({ tenants, changed, order, onOrder }: TenantTableProps) {
  const { t } = useTranslation('tenants');
  return (
    <Table.ScrollContainer minWidth={820} type="native">
      <Table
        layout="fixed"
        verticalSpacing={8}
        horizontalSpacing="sm"
        aria-label={t('title')}
        highlightOnHover={!!tenants}
      >
        <Table.Thead>
          <Table.Tr>
            {COLUMNS.map((column) => (
              <Heading
                key={column}
                className={WIDTHS[column]}
                label={t(`column.${column}`)}
                field={SORTED[column]}
                order={order}
                onOrder={onOrder}
              />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tenants
            ? tenants.map((tenant) => <Row key={tenant.id} tenant={tenant} changed={changed.has(tenant.id)} />)
            : PLACEHOLDERS.map((index) => (
                <Table.Tr key={index} className={classes.row}>
                  {COLUMNS.map((column) => (
                    <Table.Td key={column} className={WIDTHS[column]}>
                      <Skeleton height={14} width={column === 'name' ? 160 : 72} />
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface HeadingProps {
  className?: string;
  label: string;
  /** What it sorts by, if it does. */
  field?: TenantOrderField;
  order: Order;
  onOrder: (order: Order) => void;
}

function Heading({ className = '', label, field, order, onOrder }: HeadingProps) {
  if (!field) {
    return (
      <Table.Th scope="col" className={`${classes.head} ${className}`}>
        {label}
      </Table.Th>
    );
  }
  const { direction } = order;
  const active = order.field === field;
  const Icon = !active ? IconArrowsSort : direction === 'ASC' ? IconArrowUp : IconArrowDown;
  // Of dates, the newest are wanted first.
  const initial: OrderDirection = field === 'CREATED_AT' ? 'DESC' : 'ASC';
  const next: OrderDirection = active ? (direction === 'ASC' ? 'DESC' : 'ASC') : initial;
  return (
    <Table.Th
      scope="col"
      className={`${classes.head} ${className}`}
      aria-sort={active ? (direction === 'ASC' ? 'ascending' : 'descending') : undefined}
    >
      <UnstyledButton className={classes.sort} onClick={() => onOrder({ field, direction: next })}>
        {label}
        <Icon size={14} aria-hidden opacity={active ? 1 : 0.5} />
      </UnstyledButton>
    </Table.Th>
  );
}

function Row({ tenant, changed }: { tenant: TenantRowFragment; changed: boolean }) {
  const { t } = useTranslation('tenants');
  const { country } = useFormats();
  const { id, name, slug, status, limits, usage, createdAt } = tenant;
  return (
    <Table.Tr
      // Anew at each change, so that it is seen.
      key={changed ? `${status}${name}` : undefined}
      className={`${classes.row} ${changed ? classes.changed : ''}`}
      data-testid="tenant-row"
    >
      <Table.Td>
        <Link to={`/tenants/${id}`} className={classes.name}>
          <Text size="sm" fw={600} truncate>
            {name}
          </Text>
        </Link>
        <Text size="xs" c="dimmed" truncate>
          {slug}
        </Text>
      </Table.Td>
      <Table.Td>
        <StatusBadge status={status} />
        <Ending tenant={tenant} />
      </Table.Td>
      <Table.Td className={classes.country}>
        <Text size="sm">{tenant.country ? country(tenant.country) : '–'}</Text>
      </Table.Td>
      <Table.Td>
        <div className={classes.over}>
          <UsageBar compact label={t('column.agents')} used={usage.agentCount} limit={limits.maxAgents} />
        </div>
      </Table.Td>
      <Table.Td>
        <div className={classes.over}>
          <UsageBar compact label={t('column.contacts')} used={usage.contactCount} limit={limits.maxContacts} />
        </div>
      </Table.Td>
      <Table.Td>
        <div className={classes.over}>
          <UsageBar
            compact
            label={t('column.messages')}
            used={usage.messagesThisMonth}
            limit={limits.maxMessagesMonth}
          />
        </div>
      </Table.Td>
      <Table.Td>
        <Text size="sm" component="div" style={{ position: 'relative', zIndex: 1, width: 'fit-content' }}>
          <Time at={createdAt} />
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
