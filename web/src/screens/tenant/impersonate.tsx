/** Going into a tenant as one of its people: why, and whether only to look. */
import { Stack, Switch, Text, Textarea } from '@mantine/core';
import { IconSpy } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { type CombinedError, useClient } from 'urql';
import { getSession, setSession } from '../../api/session.ts';
import {
  ImpersonateTenantDocument,
  type ImpersonateTenantMutation,
  ImpersonateTenantUserDocument,
  type TenantRowFragment,
} from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FormEnd } from '../../ui/form-end.tsx';

interface ImpersonateProps {
  tenant: Pick<TenantRowFragment, 'id' | 'name' | 'slug'>;
  /** As whom; as the tenant's admin unless said otherwise. */
  user?: { id: string; email: string };
  opened: boolean;
  onClose: () => void;
}

export function Impersonate({ tenant, user, opened, onClose }: ImpersonateProps) {
  const { t } = useTranslation('tenant');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('impersonate.title', { name: user?.email ?? tenant.name })}>
      <Form tenant={tenant} user={user} onClose={onClose} />
    </Dialog>
  );
}

function Form({ tenant, user, onClose }: Omit<ImpersonateProps, 'opened'>) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const [readOnly, setReadOnly] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CombinedError>();

  type Answer = { payload?: ImpersonateTenantMutation['impersonateTenant']; problem?: CombinedError };
  const ask = async (): Promise<Answer> => {
    const wish = { reason: reason.trim() || null, readOnly };
    if (user) {
      const variables = { tenantId: tenant.id, id: user.id, ...wish };
      const { data, error } = await client.mutation(ImpersonateTenantUserDocument, variables).toPromise();
      return { payload: data?.impersonateTenantUser, problem: error };
    }
    const { data, error } = await client.mutation(ImpersonateTenantDocument, { id: tenant.id, ...wish }).toPromise();
    return { payload: data?.impersonateTenant, problem: error };
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const { payload, problem } = await ask();
    setBusy(false);
    setError(problem);
    if (!payload) return;
    const { token, email, role, expiresInSeconds } = payload;
    onClose();
    navigate('/working-hours');
    setSession({
      ...getSession(),
      impersonation: {
        token,
        tenantId: tenant.id,
        tenantSlug: tenant.slug,
        tenantName: tenant.name,
        email,
        role,
        reason: reason.trim() || undefined,
        readOnly,
        expiresAt: Date.now() + expiresInSeconds * 1000,
      },
    });
  };

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text size="sm">{t(user ? 'impersonate.textUser' : 'impersonate.text')}</Text>
        <Textarea
          label={t('impersonate.reason')}
          description={t('impersonate.reasonHint')}
          placeholder={t('impersonate.example')}
          maxLength={500}
          autosize
          minRows={2}
          data-autofocus
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Switch
          label={t('impersonate.readOnly')}
          description={t('impersonate.readOnlyHint')}
          checked={readOnly}
          onChange={(event) => setReadOnly(event.currentTarget.checked)}
        />
        <FormEnd
          problem={error}
          submit={t('impersonate.begin')}
          icon={<IconSpy size={18} aria-hidden />}
          busy={busy}
          onCancel={onClose}
        />
      </Stack>
    </form>
  );
}
