/** What can be done with a tenant as a whole. */
import { Button, List, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPencil, IconPlayerPause, IconPlayerPlay, IconSpy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { SuspendTenantDocument, type TenantRowFragment, UpdateTenantDocument } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { notify } from '../../ui/notify.tsx';
import { EditTenant } from './edit-tenant.tsx';
import { Impersonate } from './impersonate.tsx';

export function Actions({ tenant }: { tenant: TenantRowFragment }) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [editing, edit] = useDisclosure(false);
  const [impersonating, impersonate] = useDisclosure(false);
  const [asked, setAsked] = useState<'suspend' | 'restore'>();
  const { id, name, status } = tenant;

  const suspend = async () => {
    const { error } = await client.mutation(SuspendTenantDocument, { id }).toPromise();
    if (!error) notify.done(t('suspend.done', { name }));
    return error;
  };
  const restore = async () => {
    const { error } = await client.mutation(UpdateTenantDocument, { id, input: { status: 'ACTIVE' } }).toPromise();
    if (!error) notify.done(t('restore.done', { name }));
    return error;
  };

  return (
    <>
      {status === 'ACTIVE' && (
        <Button leftSection={<IconSpy size={18} aria-hidden />} onClick={impersonate.open}>
          {t('impersonate.action')}
        </Button>
      )}
      <Button variant="default" leftSection={<IconPencil size={18} aria-hidden />} onClick={edit.open}>
        {t('edit.action')}
      </Button>
      {status === 'ACTIVE' && (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={18} aria-hidden />}
          onClick={() => setAsked('suspend')}
        >
          {t('suspend.action')}
        </Button>
      )}
      {status === 'SUSPENDED' && !tenant.archivedAt && (
        <Button leftSection={<IconPlayerPlay size={18} aria-hidden />} onClick={() => setAsked('restore')}>
          {t('restore.action')}
        </Button>
      )}
      <Confirm
        opened={asked === 'suspend'}
        onClose={() => setAsked(undefined)}
        title={t('suspend.title', { name })}
        action={t('suspend.action')}
        danger
        onConfirm={suspend}
      >
        <Text size="sm">{t('suspend.text')}</Text>
        <List size="sm" spacing={4}>
          <List.Item>{t('suspend.users')}</List.Item>
          <List.Item>{t('suspend.keys')}</List.Item>
          <List.Item>{t('suspend.data')}</List.Item>
        </List>
      </Confirm>
      <Confirm
        opened={asked === 'restore'}
        onClose={() => setAsked(undefined)}
        title={t('restore.title', { name })}
        action={t('restore.action')}
        onConfirm={restore}
      >
        <Text size="sm">{t('restore.text')}</Text>
        {tenant.purgeAt && <Text size="sm">{t('restore.purge')}</Text>}
      </Confirm>
      <EditTenant tenant={tenant} opened={editing} onOpen={edit.open} onClose={edit.close} />
      <Impersonate tenant={tenant} opened={impersonating} onClose={impersonate.close} />
    </>
  );
}
