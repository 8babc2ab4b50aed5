/** Changing the name and the limits. */
import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { type TenantRowFragment, UpdateTenantDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors, sentenceOf } from '../../ui/errors.ts';
import { notify } from '../../ui/notify.tsx';
import { LimitFields, type Limits, limitsInput } from '../tenants/limit-fields.tsx';

interface EditTenantProps {
  tenant: TenantRowFragment;
  opened: boolean;
  onClose: () => void;
}

export function EditTenant({ tenant, opened, onClose }: EditTenantProps) {
  const { t } = useTranslation('tenant');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('edit.title', { name: tenant.name })} size="lg">
      <Form tenant={tenant} onClose={onClose} />
    </Dialog>
  );
}

function Form({ tenant, onClose }: Omit<EditTenantProps, 'opened'>) {
  const { t } = useTranslation('tenant');
  const [name, setName] = useState(tenant.name);
  const { maxAgents, maxContacts, maxMessagesMonth } = tenant.limits;
  const [limits, setLimits] = useState<Limits>({
    maxAgents: maxAgents ?? '',
    maxContacts: maxContacts ?? '',
    maxMessagesMonth: maxMessagesMonth ?? '',
  });
  const [{ fetching, error }, update] = useMutation(UpdateTenantDocument);
  const errors = fieldErrors(error);
  const nameless = !name.trim();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (nameless) return;
    const input = { name: name.trim(), limits: limitsInput(limits, null) };
    const { data } = await update({ id: tenant.id, input });
    if (!data) return;
    notify.done(t('edit.done'));
    onClose();
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('edit.name')}
          required
          maxLength={200}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={nameless ? t('edit.nameless') : errors.name}
        />
        <LimitFields value={limits} onChange={setLimits} errors={errors} />
        <Text size="sm" c="dimmed">
          {t('edit.limitsHint')}
        </Text>
        {error && !Object.keys(errors).length && (
          <Alert color="red" role="alert">
            {sentenceOf(error, t)}
          </Alert>
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {t('cancel', { ns: 'common' })}
          </Button>
          <Button type="submit" loading={fetching}>
            {t('save', { ns: 'common' })}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
