/** Changing the name and the limits. */
import { Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useClient } from 'urql';
import { type TenantRowFragment, UpdateTenantDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { notify } from '../../ui/notify.tsx';
import { LimitFields, type Limits, limitMistakes, limitsInput } from '../tenants/limit-fields.tsx';

interface EditTenantProps {
  tenant: TenantRowFragment;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

interface Entered {
  name: string;
  limits: Limits;
}

/** What was entered, and why the gateway did not take it. */
interface Refused extends Entered {
  error: CombinedError;
}

export function EditTenant({ tenant, opened, onOpen, onClose }: EditTenantProps) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [refused, setRefused] = useState<Refused>();
  const close = () => {
    setRefused(undefined);
    onClose();
  };
  const save = async (entered: Entered) => {
    // What was entered is seen at once; the dialog is there again if it is refused.
    close();
    const input = { name: entered.name.trim(), limits: limitsInput(entered.limits, null) };
    const { error } = await client.mutation(UpdateTenantDocument, { id: tenant.id, input }).toPromise();
    if (!error) return notify.done(t('edit.done'));
    setRefused({ ...entered, error });
    onOpen();
  };
  return (
    <Dialog opened={opened} onClose={close} title={t('edit.title', { name: tenant.name })} size="lg">
      <Form tenant={tenant} refused={refused} onSave={save} onClose={close} />
    </Dialog>
  );
}

interface FormProps {
  tenant: TenantRowFragment;
  refused?: Refused;
  onSave: (entered: Entered) => void;
  onClose: () => void;
}

function Form({ tenant, refused, onSave, onClose }: FormProps) {
  const { t } = useTranslation('tenant');
  const { t: tenants } = useTranslation('tenants');
  const { maxAgents, maxContacts, maxMessagesMonth } = tenant.limits;
  const [name, setName] = useState(refused?.name ?? tenant.name);
  const [limits, setLimits] = useState<Limits>(
    refused?.limits ?? {
      maxAgents: maxAgents ?? '',
      maxContacts: maxContacts ?? '',
      maxMessagesMonth: maxMessagesMonth ?? '',
    },
  );
  const error = refused?.error;
  const errors = fieldErrors(error);
  const nameless = !name.trim();
  const mistakes = limitMistakes(limits, tenants);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!nameless && Object.keys(mistakes).length === 0) onSave({ name, limits });
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
        <LimitFields value={limits} onChange={setLimits} errors={{ ...errors, ...mistakes }} />
        <Text size="sm" c="dimmed">
          {t('edit.limitsHint')}
        </Text>
        <FormEnd
          problem={Object.keys(errors).length ? undefined : error}
          submit={t('save', { ns: 'common' })}
          onCancel={onClose}
        />
      </Stack>
    </form>
  );
}
