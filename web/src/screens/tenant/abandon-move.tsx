/** Ending a move without a server that does not answer: why, and for which tenant, is asked for. */
import { Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { AbandonTenantMoveDocument } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';

interface AbandonMoveProps {
  tenant: { id: string; name: string; slug: string };
  /** The server that the tenant is on. */
  server: string;
  opened: boolean;
  onClose: () => void;
}

export function AbandonMove({ tenant, server, opened, onClose }: AbandonMoveProps) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [reason, setReason] = useState('');
  const [slug, setSlug] = useState('');
  const confirm = async () => {
    const variables = { tenantId: tenant.id, slug: slug.trim(), reason: reason.trim() };
    const { error } = await client.mutation(AbandonTenantMoveDocument, variables).toPromise();
    return error;
  };
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={t('move.abandonTitle', { name: tenant.name })}
      action={t('move.abandon')}
      danger
      onConfirm={confirm}
    >
      <Text size="sm">{t('move.abandonText', { server })}</Text>
      <TextInput
        label={t('move.abandonReason')}
        description={t('move.abandonReasonHint')}
        maxLength={500}
        required
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <TextInput
        label={t('move.abandonSlug', { slug: tenant.slug })}
        required
        value={slug}
        onChange={(event) => setSlug(event.currentTarget.value)}
      />
    </Confirm>
  );
}
