/** What can be done with a server. */
import { ActionIcon, Menu, NumberInput, Stack, Text } from '@mantine/core';
import { IconDoor, IconDoorOff, IconDots, IconLogout2, IconResize, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import {
  type DatabaseServerState,
  RemoveDatabaseServerDocument,
  type ServerRowFragment,
  UpdateDatabaseServerDocument,
} from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { notify } from '../../ui/notify.tsx';

/** What is done, with what it looks like. */
const CHANGES = [
  ['OPEN', IconDoor],
  ['DRAINING', IconLogout2],
  ['CLOSED', IconDoorOff],
] as const;

type Asked = DatabaseServerState | 'CAPACITY' | 'REMOVE';

export function ServerActions({ server, onChange }: { server: ServerRowFragment; onChange: () => void }) {
  const { t } = useTranslation('servers');
  const [asked, ask] = useState<Asked>();
  const [capacity, setCapacity] = useState<number | string>(server.capacity);
  const [, update] = useMutation(UpdateDatabaseServerDocument);
  const [, remove] = useMutation(RemoveDatabaseServerDocument);
  const { id, name, state, tenants, isHome } = server;

  const confirm = async () => {
    const input = asked === 'CAPACITY' ? { capacity: Number(capacity) } : { state: asked as DatabaseServerState };
    const { error } = asked === 'REMOVE' ? await remove({ id }) : await update({ id, input });
    if (!error) {
      notify.done(t(`do.${asked!}.done`, { name }));
      onChange();
    }
    return error;
  };
  const close = () => ask(undefined);

  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('actionsOf', { name })}
            ml="auto"
            display="flex"
          >
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {CHANGES.filter(([to]) => to !== state).map(([to, Icon]) => (
            <Menu.Item key={to} leftSection={<Icon size={16} aria-hidden />} onClick={() => ask(to)}>
              {t(`do.${to}.action`)}
            </Menu.Item>
          ))}
          <Menu.Item
            leftSection={<IconResize size={16} aria-hidden />}
            onClick={() => {
              setCapacity(server.capacity);
              ask('CAPACITY');
            }}
          >
            {t('do.CAPACITY.action')}
          </Menu.Item>
          {!isHome && (
            <Menu.Item
              color="red"
              disabled={tenants > 0}
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => ask('REMOVE')}
            >
              {t('do.REMOVE.action')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={asked !== undefined}
        onClose={close}
        title={asked ? t(`do.${asked}.title`, { name }) : ''}
        action={asked ? t(`do.${asked}.action`) : ''}
        danger={asked === 'REMOVE'}
        onConfirm={confirm}
      >
        <Stack gap="sm">
          <Text size="sm">{asked && t(`do.${asked}.text`, { name, count: tenants })}</Text>
          {asked === 'CAPACITY' && (
            <NumberInput label={t('form.capacity')} min={1} max={1_000_000} value={capacity} onChange={setCapacity} />
          )}
        </Stack>
      </Confirm>
    </>
  );
}
