/** Making another super admin. */
import { Alert, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useClient, useMutation } from 'urql';
import { CreateSuperAdminDocument, SuperAdminsDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { codeOf, fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { NewPassword, SHORTEST_PASSWORD } from '../../ui/new-password.tsx';
import { notify } from '../../ui/notify.tsx';

export function AddAdmin({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('admins');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('add')}>
      <Form onClose={onClose} />
    </Dialog>
  );
}

const EMPTY = { name: '', email: '', password: '' };
type Draft = typeof EMPTY;

function Form({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('admins');
  const client = useClient();
  const [draft, setDraft] = useState(EMPTY);
  const [errors, setErrors] = useState<Partial<Draft>>({});
  const [problem, setProblem] = useState<CombinedError>();
  const [{ fetching }, create] = useMutation(CreateSuperAdminDocument);

  const change = (field: keyof Draft, value: string) => {
    setDraft((before) => ({ ...before, [field]: value }));
    setErrors((before) => ({ ...before, [field]: undefined }));
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = { name: draft.name.trim(), email: draft.email.trim(), password: draft.password };
    const found: Partial<Draft> = {};
    if (!input.name) found.name = t('form.nameMissing');
    if (!/^\S+@\S+$/.test(input.email)) found.email = t('form.emailInvalid');
    if (input.password.length < SHORTEST_PASSWORD) found.password = t('form.passwordShort');
    setErrors(found);
    setProblem(undefined);
    if (Object.keys(found).length > 0) return;
    const { data, error } = await create({ input });
    if (data) {
      onClose();
      notify.done(t('form.done', { name: data.createSuperAdmin.name }));
      client.query(SuperAdminsDocument, {}, { requestPolicy: 'network-only' }).toPromise();
    } else if (error) {
      const told: Partial<Draft> = fieldErrors(error);
      if (codeOf(error) === 'EMAIL_TAKEN') told.email = t('form.emailTaken');
      setErrors(told);
      // What has no field here is told above the buttons.
      setProblem(told.name || told.email || told.password ? undefined : error);
    }
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('form.name')}
          required
          maxLength={200}
          data-autofocus
          autoComplete="off"
          value={draft.name}
          onChange={(event) => change('name', event.currentTarget.value)}
          error={errors.name}
        />
        <TextInput
          type="email"
          label={t('form.email')}
          required
          autoComplete="off"
          value={draft.email}
          onChange={(event) => change('email', event.currentTarget.value)}
          error={errors.email}
        />
        <NewPassword
          label={t('form.password')}
          required
          value={draft.password}
          onChange={(password) => change('password', password)}
          error={errors.password}
        />
        <Alert color="yellow" variant="light">
          {t('form.power')}
        </Alert>
        <FormEnd problem={problem} submit={t('form.submit')} busy={fetching} onCancel={onClose} />
      </Stack>
    </form>
  );
}
