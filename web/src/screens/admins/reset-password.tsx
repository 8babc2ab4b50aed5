/** A new password for a super admin; says what that ends. */
import { Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useMutation } from 'urql';
import { ResetSuperAdminPasswordDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { NewPassword, SHORTEST_PASSWORD } from '../../ui/new-password.tsx';
import { notify } from '../../ui/notify.tsx';
import type { Admin } from './admin-table.tsx';

interface ResetPasswordProps {
  /** Whose; absent: nobody's. */
  admin?: Admin;
  /** It is one's own. */
  self: boolean;
  onClose: () => void;
}

export function ResetPassword({ admin, self, onClose }: ResetPasswordProps) {
  const { t } = useTranslation('admins');
  return (
    <Dialog opened={admin !== undefined} onClose={onClose} title={t('reset.title', { name: admin?.name })}>
      {admin && <Form admin={admin} self={self} onClose={onClose} />}
    </Dialog>
  );
}

function Form({ admin, self, onClose }: ResetPasswordProps & { admin: Admin }) {
  const { t } = useTranslation('admins');
  const [password, setPassword] = useState('');
  const [mistake, setMistake] = useState<string>();
  const [problem, setProblem] = useState<CombinedError>();
  const [{ fetching }, reset] = useMutation(ResetSuperAdminPasswordDocument);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setProblem(undefined);
    if (password.length < SHORTEST_PASSWORD) return setMistake(t('account.passwordShort', { ns: 'common' }));
    const { error } = await reset({ id: admin.id, newPassword: password });
    if (!error) {
      onClose();
      return notify.done(t('reset.done', { name: admin.name }));
    }
    const { newPassword } = fieldErrors(error);
    if (newPassword) setMistake(newPassword);
    else setProblem(error);
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">{t(self ? 'reset.textSelf' : 'reset.text', { email: admin.email })}</Text>
        <NewPassword
          label={t('reset.password')}
          required
          autoFocus
          value={password}
          onChange={(next) => {
            setPassword(next);
            setMistake(undefined);
          }}
          error={mistake}
        />
        <FormEnd problem={problem} submit={t('reset.action')} busy={fetching} onCancel={onClose} />
      </Stack>
    </form>
  );
}
