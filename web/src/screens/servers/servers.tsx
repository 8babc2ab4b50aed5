/** The PostgreSQL servers that tenants' databases are on: how full they are, how they stand, and whether they take more. */
import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconServerBolt } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useEvery } from '../../api/use-every.ts';
import { useLogged } from '../../api/use-logged.ts';
import { DatabaseServersDocument } from '../../documents.gen.ts';
import { Page } from '../../ui/page.tsx';
import { Section } from '../../ui/section.tsx';
import { RegisterServer } from './register-server.tsx';
import { ServerTable } from './server-table.tsx';

/** How they stand, and how many tenants they have, is told by no log. */
const ASK_AGAIN_MS = 5000;

export default function Servers() {
  const { t } = useTranslation('servers');
  const [registering, { open, close }] = useDisclosure(false);
  const servers = useLogged({ query: DatabaseServersDocument }, /^database_server\./);
  useEvery(ASK_AGAIN_MS, servers.refetch);
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <Button leftSection={<IconServerBolt size={18} aria-hidden />} onClick={open}>
          {t('register.action')}
        </Button>
      }
    >
      <Section title={t('list.title')} answer={servers} rows={2}>
        {({ databaseServers }) => <ServerTable servers={databaseServers} onChange={servers.refetch} />}
      </Section>
      <RegisterServer opened={registering} onClose={close} onDone={servers.refetch} />
    </Page>
  );
}
