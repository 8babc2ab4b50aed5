/** Choosing where a tenant is moved to. */
import { List, NumberInput, Select, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useClient } from 'urql';
import { MoveTenantDocument, type TenantServersQuery } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { FormEnd } from '../../ui/form-end.tsx';

interface MoveDialogProps {
  tenant: { id: string; name: string };
  /** Where it could go. */
  servers: TenantServersQuery['databaseServers'];
  opened: boolean;
  onClose: () => void;
}

export function MoveDialog({ tenant, servers, opened, onClose }: MoveDialogProps) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [picked, setPicked] = useState<string | null>(null);
  const [seconds, setSeconds] = useState<number | string>(20);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CombinedError>();

  const open = servers.filter(({ state }) => state === 'OPEN');
  // Where there is but one to go to, nobody has to say so.
  const serverId = picked ?? (open.length === 1 ? open[0]!.id : null);
  const close = () => {
    setError(undefined);
    setPicked(null);
    onClose();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const { error } = await client
      .mutation(MoveTenantDocument, {
        tenantId: tenant.id,
        serverId: serverId!,
        maxReadOnlySeconds: Number(seconds) || null,
      })
      .toPromise();
    setBusy(false);
    if (error) setError(error);
    else close();
  };

  return (
    <Dialog opened={opened} onClose={close} title={t('move.dialogTitle', { name: tenant.name })}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <List size="sm" spacing={4}>
            <List.Item>{t('move.while')}</List.Item>
            <List.Item>{t('move.seconds')}</List.Item>
            <List.Item>{t('move.back')}</List.Item>
          </List>
          <Select
            label={t('move.server')}
            required
            data-autofocus
            allowDeselect={false}
            data={servers.map(({ id, name, region, state }) => ({
              value: id,
              label: region ? `${name} (${region})` : name,
              disabled: state !== 'OPEN',
            }))}
            value={serverId}
            onChange={setPicked}
          />
          <NumberInput
            label={t('move.most')}
            description={t('move.mostHint')}
            min={2}
            max={300}
            allowDecimal={false}
            value={seconds}
            onChange={setSeconds}
          />
          <FormEnd problem={error} submit={t('move.begin')} busy={busy} disabled={!serverId} onCancel={close} />
        </Stack>
      </form>
    </Dialog>
  );
}
