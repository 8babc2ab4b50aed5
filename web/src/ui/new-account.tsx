/** The form of an account that somebody else will sign in with: their name, their address, and a first password. */
import { Alert, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { codeOf, fieldErrors } from './errors.ts';
import { FormEnd } from './form-end.tsx';
import { NewPassword, SHORTEST_PASSWORD } from './new-password.tsx';

const EMPTY = { name: '', email: '', password: '' };
export type Account = typeof EMPTY;

interface NewAccountProps {
  /** What whoever has it may do. */
  power: string;
  /** What is said of an address that is taken. */
  taken: string;
  /** @returns what it was refused with */
  create: (account: Account) => Promise<CombinedError | undefined>;
  onClose: () => void;
}

export function NewAccount({ power, taken, create, onClose }: NewAccountProps) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(EMPTY);
  const [errors, setErrors] = useState<Partial<Account>>({});
  const [problem, setProblem] = useState<CombinedError>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const change = (field: keyof Account, value: string) => {
    setDraft((before) => ({ ...before, [field]: value }));
    setErrors((before) => ({ ...before, [field]: undefined }));
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const account = { name: draft.name.trim(), email: draft.email.trim(), password: draft.password };
    const found: Partial<Account> = {};
    if (!account.name) found.name = t('account.nameMissing');
    if (!/^\S+@\S+$/.test(account.email)) found.email = t('account.emailInvalid');
    if (account.password.length < SHORTEST_PASSWORD) found.password = t('account.passwordShort');
    setErrors(found);
    setProblem(undefined);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    const error = await create(account);
    setBusy(false);
    // Closed meanwhile, it does not close the dialog that was opened after it.
    if (!form.current) return;
    if (!error) return onClose();
    const { fullName, ...told }: Partial<Account & { fullName: string }> = fieldErrors(error);
    if (fullName) told.name = fullName;
    if (codeOf(error) === 'EMAIL_TAKEN') told.email = taken;
    setErrors(told);
    // What has no field here is told above the buttons.
    setProblem(told.name || told.email || told.password ? undefined : error);
  };

  return (
    <form ref={form} onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('account.name')}
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
          label={t('account.email')}
          required
          autoComplete="off"
          value={draft.email}
          onChange={(event) => change('email', event.currentTarget.value)}
          error={errors.email}
        />
        <NewPassword
          label={t('account.password')}
          required
          value={draft.password}
          onChange={(password) => change('password', password)}
          error={errors.password}
        />
        <Alert color="yellow" variant="light">
          {power}
        </Alert>
        <FormEnd problem={problem} submit={t('account.add')} busy={busy} onCancel={onClose} />
      </Stack>
    </form>
  );
}
