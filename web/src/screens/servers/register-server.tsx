/** Bringing another server into use. */
import { NumberInput, PasswordInput, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useMutation } from 'urql';
import { RegisterDatabaseServerDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { notify } from '../../ui/notify.tsx';

interface RegisterServerProps {
  opened: boolean;
  onClose: () => void;
  onDone: () => void;
}

export function RegisterServer({ opened, onClose, onDone }: RegisterServerProps) {
  const { t } = useTranslation('servers');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('register.title')}>
      <Form onClose={onClose} onDone={onDone} />
    </Dialog>
  );
}

const EMPTY = { name: '', url: '', pooledUrl: '', region: '', capacity: '1000' };
type Draft = typeof EMPTY;

function Form({ onClose, onDone }: Omit<RegisterServerProps, 'opened'>) {
  const { t } = useTranslation('servers');
  const [draft, setDraft] = useState(EMPTY);
  const [errors, setErrors] = useState<Partial<Draft>>({});
  const [problem, setProblem] = useState<CombinedError>();
  const [{ fetching }, register] = useMutation(RegisterDatabaseServerDocument);

  const change = (field: keyof Draft, value: string) => {
    setDraft((before) => ({ ...before, [field]: value }));
    setErrors((before) => ({ ...before, [field]: undefined }));
  };
  const of = (field: keyof Draft) => ({
    value: draft[field],
    onChange: (event: { currentTarget: { value: string } }) => change(field, event.currentTarget.value),
    error: errors[field],
    autoComplete: 'off',
  });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const [name, url, region, pooledUrl] = [draft.name, draft.url, draft.region, draft.pooledUrl].map((text) =>
      text.trim(),
    );
    const found: Partial<Draft> = {};
    if (!name) found.name = t('form.nameMissing');
    if (!url) found.url = t('form.urlMissing');
    setErrors(found);
    setProblem(undefined);
    if (Object.keys(found).length > 0) return;
    const input = {
      name: name!,
      url: url!,
      capacity: Number(draft.capacity),
      ...(region && { region }),
      ...(pooledUrl && { pooledUrl }),
    };
    const { data, error } = await register({ input });
    if (data) {
      onClose();
      onDone();
      notify.done(t('register.done', { name }));
    } else if (error) {
      const told: Partial<Draft> = fieldErrors(error);
      setErrors(told);
      // What has no field here is told above the buttons.
      setProblem(Object.keys(told).some((field) => field in EMPTY) ? undefined : error);
    }
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput label={t('form.name')} description={t('form.nameHint')} required data-autofocus {...of('name')} />
        <PasswordInput
          label={t('form.url')}
          description={t('form.urlHint')}
          required
          visibilityToggleButtonProps={{ 'aria-label': t('form.show') }}
          {...of('url')}
        />
        <TextInput label={t('form.pooledUrl')} description={t('form.pooledUrlHint')} {...of('pooledUrl')} />
        <TextInput label={t('form.region')} description={t('form.regionHint')} {...of('region')} />
        <NumberInput
          label={t('form.capacity')}
          description={t('form.capacityHint')}
          required
          min={1}
          max={1_000_000}
          value={draft.capacity}
          onChange={(value) => change('capacity', String(value))}
          error={errors.capacity}
        />
        <FormEnd problem={problem} submit={t('register.submit')} busy={fetching} onCancel={onClose} />
      </Stack>
    </form>
  );
}
