/** A suspended tenant as an archive: making one, and the way back. */
import { Alert, Button, Group, List, Loader, Stack, Switch, Text } from '@mantine/core';
import { IconArchive, IconArchiveOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { ArchiveTenantDocument, type TenantDataQuery, UnarchiveTenantDocument } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { reasonText } from '../../ui/errors.ts';
import { Time } from '../../ui/time.tsx';
import { Section } from './overview.tsx';

interface ArchiveProps {
  tenant: TenantDataQuery['tenant'];
  onAsked: () => void;
}

export function Archive({ tenant, onAsked }: ArchiveProps) {
  const { t } = useTranslation('offboarding');
  const client = useClient();
  const [asked, setAsked] = useState(false);
  const [activate, setActivate] = useState(true);
  const { id, name, archivedAt, offboarding: run } = tenant;
  const underWay = run && !['SUCCEEDED', 'FAILED'].includes(run.state) ? run : undefined;
  const way = archivedAt ? 'unarchive' : 'archive';
  const confirm = async () => {
    const { error } = archivedAt
      ? await client.mutation(UnarchiveTenantDocument, { tenantId: id, activate }).toPromise()
      : await client.mutation(ArchiveTenantDocument, { tenantId: id }).toPromise();
    onAsked();
    return error;
  };
  return (
    <Section title={t('archive.title')}>
      <Stack gap="md">
        <Text size="sm" component="div">
          {archivedAt ? (
            <>
              {t('archive.since')} <Time at={archivedAt} focusable />. {t('archive.archived')}
            </>
          ) : (
            t('archive.text')
          )}
        </Text>
        {underWay && (
          <Group gap="sm" role="status">
            <Loader size="xs" />
            <Text size="sm">
              {t(`kind.${underWay.kind}`)}
              {underWay.step && `: ${t(`step.${underWay.step}`)}`}
            </Text>
          </Group>
        )}
        {run?.error && run.state !== 'SUCCEEDED' && (
          <Alert color={run.state === 'FAILED' ? 'red' : 'orange'} p="sm">
            {t(run.state === 'FAILED' ? 'givenUp' : 'again')} {reasonText(run.error)}
          </Alert>
        )}
        {!underWay && (
          <Group>
            <Button
              variant="default"
              leftSection={
                archivedAt ? <IconArchiveOff size={18} aria-hidden /> : <IconArchive size={18} aria-hidden />
              }
              onClick={() => setAsked(true)}
            >
              {t(`${way}.action`)}
            </Button>
          </Group>
        )}
      </Stack>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={t(`${way}.confirm`, { name })}
        action={t(`${way}.action`)}
        onConfirm={confirm}
      >
        {archivedAt ? (
          <>
            <Text size="sm">{t('unarchive.text')}</Text>
            <Switch
              label={t('unarchive.activate')}
              checked={activate}
              onChange={(event) => setActivate(event.currentTarget.checked)}
            />
          </>
        ) : (
          <List size="sm" spacing={4}>
            <List.Item>{t('archive.writes')}</List.Item>
            <List.Item>{t('archive.drops')}</List.Item>
            <List.Item>{t('archive.back')}</List.Item>
          </List>
        )}
      </Confirm>
    </Section>
  );
}
