/** Who works in a tenant, and what the platform can do for or against them. */
import { Button, Group, Paper, Skeleton, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronLeft, IconChevronRight, IconUserPlus, IconUsers } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type DocumentInput, useClient } from 'urql';
import { ActivateTenantUserDocument, SuspendTenantUserDocument, type TenantRowFragment } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { notify } from '../../ui/notify.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Empty, Failed } from '../../ui/states.tsx';
import { AddAdmin } from './add-admin.tsx';
import { Impersonate } from './impersonate.tsx';
import { ResetPassword } from './reset-password.tsx';
import { type TenantUser, useUsers } from './use-users.ts';
import { type UserAction, UserTable } from './user-table.tsx';

export function Users({ tenant }: { tenant: TenantRowFragment }) {
  const { t } = useTranslation('tenant');
  if (tenant.status === 'PROVISIONING') {
    return (
      <Paper withBorder>
        <Empty icon={IconUsers} title={t('users.notReady')} text={t('users.notReadyHint')} />
      </Paper>
    );
  }
  return <UserList tenant={tenant} />;
}

function UserList({ tenant }: { tenant: TenantRowFragment }) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [search, setSearch] = useState('');
  const { users, error, fetching, refetch, next, previous } = useUsers(tenant.id, search);
  const [asked, setAsked] = useState<{ action: UserAction; user: TenantUser }>();
  const [shown, setShown] = useState(false);
  const [adding, { open, close: closeAdding }] = useDisclosure(false);
  const { action, user } = asked ?? {};
  const isActive = tenant.status === 'ACTIVE';
  const close = () => setShown(false);

  const change = (document: DocumentInput<unknown, { tenantId: string; id: string }>, done: string) => async () => {
    const { error } = await client.mutation(document, { tenantId: tenant.id, id: user!.id }).toPromise();
    if (!error) {
      notify.done(t(done, { email: user!.email }));
      refetch();
    }
    return error;
  };

  if (tenant.archivedAt)
    return (
      <Empty
        icon={IconUsers}
        title={t('badge.archived', { ns: 'offboarding' })}
        text={t('archive.archived', { ns: 'offboarding' })}
      />
    );
  if (!users && error) return <Failed error={error} retry={refetch} />;
  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <SearchField label={t('users.search')} value={search} onChange={setSearch} />
        {isActive && (
          <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={open}>
            {t('users.add')}
          </Button>
        )}
      </Group>
      {!users ? (
        <Stack gap={6} aria-busy>
          {[0, 1, 2, 3].map((index) => (
            <Skeleton key={index} height={58} />
          ))}
        </Stack>
      ) : users.length ? (
        <Paper withBorder style={{ overflow: 'hidden' }} aria-busy={fetching}>
          <UserTable
            users={users}
            mayImpersonate={isActive}
            onAction={(action, user) => {
              setAsked({ action, user });
              setShown(true);
            }}
          />
        </Paper>
      ) : (
        <Paper withBorder>
          <Empty
            icon={IconUsers}
            title={t(search ? 'users.noneFound' : 'users.none')}
            text={search ? undefined : t(isActive ? 'users.noneHint' : 'users.noneSuspended')}
          />
        </Paper>
      )}
      {(next || previous) && (
        <Group component="nav" justify="flex-end" gap="xs" aria-label={t('users.pages')}>
          <Button
            variant="default"
            leftSection={<IconChevronLeft size={16} aria-hidden />}
            disabled={!previous}
            onClick={previous}
          >
            {t('previous')}
          </Button>
          <Button
            variant="default"
            rightSection={<IconChevronRight size={16} aria-hidden />}
            disabled={!next}
            onClick={next}
          >
            {t('next')}
          </Button>
        </Group>
      )}
      <Confirm
        opened={shown && action === 'suspend'}
        onClose={close}
        title={t('users.suspendTitle', { email: user?.email })}
        action={t('users.suspend')}
        danger
        onConfirm={change(SuspendTenantUserDocument, 'users.suspended')}
      >
        <Text size="sm">{t('users.suspendText')}</Text>
      </Confirm>
      <Confirm
        opened={shown && action === 'activate'}
        onClose={close}
        title={t('users.activateTitle', { email: user?.email })}
        action={t('users.activate')}
        onConfirm={change(ActivateTenantUserDocument, 'users.activated')}
      >
        <Text size="sm">{t('users.activateText')}</Text>
      </Confirm>
      <AddAdmin tenant={tenant} opened={adding} onClose={closeAdding} onAdded={refetch} />
      <ResetPassword tenantId={tenant.id} user={user} opened={shown && action === 'password'} onClose={close} />
      <Impersonate tenant={tenant} user={user} opened={shown && action === 'impersonate'} onClose={close} />
    </Stack>
  );
}
