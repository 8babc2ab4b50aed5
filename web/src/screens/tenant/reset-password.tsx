/** A new password for one of a tenant's users. */
import { Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { ResetTenantUserPasswordDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { NewPassword, SHORTEST_PASSWORD } from '../../ui/new-password.tsx';
import { notify } from '../../ui/notify.tsx';

interface ResetPasswordProps {
  tenantId: string;
  user?: { id: string; email: string };
  opened: boolean;
  onClose: () => void;
}

export function ResetPassword({ tenantId, user, opened, onClose }: ResetPasswordProps) {
  const { t } = useTranslation('tenant');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('users.resetTitle', { email: user?.email })}>
      {user && <Form tenantId={tenantId} user={user} onClose={onClose} />}
    </Dialog>
  );
}

type FormProps = Omit<Required<ResetPasswordProps>, 'opened'>;

function Form({ tenantId, user, onClose }: FormProps) {
  const { t } = useTranslation('tenant');
  const [password, setPassword] = useState('');
  const [tooShort, setTooShort] = useState(false);
  const [{ fetching, error }, reset] = useMutation(ResetTenantUserPasswordDocument);
  const said = fieldErrors(error).newPassword;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTooShort(password.length < SHORTEST_PASSWORD);
    if (password.length < SHORTEST_PASSWORD) return;
    const { data } = await reset({ tenantId, id: user.id, newPassword: password });
    if (!data) return;
    notify.done(t('users.resetDone', { email: user.email }));
    onClose();
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">{t('users.resetText')}</Text>
        <NewPassword
          label={t('users.newPassword')}
          required
          autoFocus
          value={password}
          onChange={(value) => {
            setPassword(value);
            setTooShort(false);
          }}
          error={tooShort ? t('users.passwordShort') : said}
        />
        <FormEnd
          problem={said ? undefined : error}
          submit={t('users.resetAction')}
          busy={fetching}
          onCancel={onClose}
        />
      </Stack>
    </form>
  );
}
