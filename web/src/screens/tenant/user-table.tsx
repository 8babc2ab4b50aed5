/** The users as rows, with a menu each. */
import { ActionIcon, Badge, Group, Menu, Table, Text, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconDotsVertical, IconKey, IconSpy, IconUserCheck, IconUserOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Dot, StatusBadge } from '../../ui/status-badge.tsx';
import { Time } from '../../ui/time.tsx';
import type { TenantUser } from './use-users.ts';

export type UserAction = 'suspend' | 'activate' | 'password' | 'impersonate';

interface UserTableProps {
  users: readonly TenantUser[];
  mayImpersonate: boolean;
  onAction: (action: UserAction, user: TenantUser) => void;
}

export function UserTable({ users, ...rest }: UserTableProps) {
  const { t } = useTranslation('tenant');
  const narrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  return (
    <Table verticalSpacing="xs" horizontalSpacing="md" highlightOnHover aria-label={t('tab.users')}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">{t('users.name')}</Table.Th>
          {!narrow && <Table.Th scope="col">{t('users.role')}</Table.Th>}
          {!narrow && <Table.Th scope="col">{t('users.seen')}</Table.Th>}
          <Table.Th scope="col" w={60}>
            <VisuallyHidden>{t('users.actions')}</VisuallyHidden>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {users.map((user) => (
          <Row key={user.id} user={user} narrow={narrow} {...rest} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface RowProps extends Omit<UserTableProps, 'users'> {
  user: TenantUser;
  narrow: boolean;
}

function Row({ user, narrow, mayImpersonate, onAction }: RowProps) {
  const { t } = useTranslation('tenant');
  const { email, fullName, role, isOnline, lastSeenAt } = user;
  const suspended = !user.isActive;
  const roleBadge = (
    <Badge variant="default" radius="sm">
      {t(`role.${role}`, { defaultValue: role })}
    </Badge>
  );
  return (
    <Table.Tr data-testid="user-row">
      <Table.Td style={{ overflowWrap: 'anywhere' }}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {fullName}
          </Text>
          {suspended && <StatusBadge status="SUSPENDED" size="sm" />}
          {narrow && roleBadge}
        </Group>
        <Text size="xs" c="dimmed">
          {email}
        </Text>
      </Table.Td>
      {!narrow && <Table.Td>{roleBadge}</Table.Td>}
      {!narrow && (
        <Table.Td>
          <Text size="sm" component="div">
            {isOnline ? (
              <Group gap={6}>
                <Dot color="teal" />
                {t('users.online')}
              </Group>
            ) : lastSeenAt ? (
              <Time at={lastSeenAt} focusable />
            ) : (
              t('users.never')
            )}
          </Text>
        </Table.Td>
      )}
      <Table.Td>
        <Menu position="bottom-end" width={230}>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t('users.actionsOf', { name: fullName })}>
              <IconDotsVertical size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {mayImpersonate && !suspended && (
              <Menu.Item leftSection={<IconSpy size={16} aria-hidden />} onClick={() => onAction('impersonate', user)}>
                {t('impersonate.action')}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => onAction('password', user)}>
              {t('users.resetPassword')}
            </Menu.Item>
            <Menu.Divider />
            {suspended ? (
              <Menu.Item
                leftSection={<IconUserCheck size={16} aria-hidden />}
                onClick={() => onAction('activate', user)}
              >
                {t('users.activate')}
              </Menu.Item>
            ) : (
              <Menu.Item
                c="var(--mantine-color-error)"
                leftSection={<IconUserOff size={16} aria-hidden />}
                onClick={() => onAction('suspend', user)}
              >
                {t('users.suspend')}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
}
