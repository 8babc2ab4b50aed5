/** Who runs the platform, who of them is in a tenant right now, and where one is signed in oneself. */
import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconUserPlus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../ui/page.tsx';
import { AddAdmin } from './add-admin.tsx';
import { AdminTable } from './admin-table.tsx';
import { Impersonations } from './impersonations.tsx';
import { Sessions } from './sessions.tsx';

export default function Admins() {
  const { t } = useTranslation('admins');
  const [adding, { open, close }] = useDisclosure(false);
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={open}>
          {t('add')}
        </Button>
      }
    >
      <AdminTable />
      <Impersonations />
      <Sessions />
      <AddAdmin opened={adding} onClose={close} />
    </Page>
  );
}
