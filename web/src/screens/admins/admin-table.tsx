/** The super admins. */
import { ActionIcon, Avatar, Badge, Group, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconKey, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { useLogged } from '../../api/use-logged.ts';
import {
  DeleteSuperAdminDocument,
  MeDocument,
  SuperAdminsDocument,
  type SuperAdminsQuery,
} from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';
import { Section } from '../../ui/section.tsx';
import classes from './admins.module.css';
import { ResetPassword } from './reset-password.tsx';

export type Admin = SuperAdminsQuery['superAdmins'][number];

export function AdminTable() {
  const { t } = useTranslation('admins');
  const [{ data: me }] = useQuery({ query: MeDocument });
  const admins = useLogged({ query: SuperAdminsDocument }, /^super_admin\.(create|delete)$/);
  const [, remove] = useMutation(DeleteSuperAdminDocument);
  const [deleting, setDeleting] = useState<Admin>();
  const [resetting, setResetting] = useState<Admin>();
  return (
    <>
      <Section title={t('list.title')} answer={admins} rows={3}>
        {({ superAdmins }) => (
          <Table verticalSpacing="sm" horizontalSpacing="md" aria-label={t('list.title')}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t('list.name')}</Table.Th>
                <Table.Th scope="col" className={classes.side}>
                  {t('list.since')}
                </Table.Th>
                <Table.Th scope="col" ta="right">
                  {t('list.actions')}
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {superAdmins.map((admin) => (
                <Row
                  key={admin.id}
                  admin={admin}
                  self={admin.id === me?.me.id}
                  alone={superAdmins.length === 1}
                  onReset={() => setResetting(admin)}
                  onDelete={() => setDeleting(admin)}
                />
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Section>
      <Confirm
        opened={deleting !== undefined}
        onClose={() => setDeleting(undefined)}
        title={t('delete.title', { name: deleting?.name })}
        action={t('delete.action')}
        danger
        onConfirm={async () => {
          const { error } = await remove({ id: deleting!.id });
          if (!error) {
            notify.done(t('delete.done', { name: deleting!.name }));
            admins.refetch();
          }
          return error;
        }}
      >
        <Text size="sm">{t('delete.text', { email: deleting?.email })}</Text>
      </Confirm>
      <ResetPassword admin={resetting} self={resetting?.id === me?.me.id} onClose={() => setResetting(undefined)} />
    </>
  );
}

interface RowProps {
  admin: Admin;
  self: boolean;
  alone: boolean;
  onReset: () => void;
  onDelete: () => void;
}

function Row({ admin: { name, email, createdAt }, self, alone, onReset, onDelete }: RowProps) {
  const { t } = useTranslation('admins');
  const { date } = useFormats();
  const kept = self ? t('delete.notSelf') : alone ? t('delete.notLast') : undefined;
  return (
    <Table.Tr data-testid="super-admin">
      <Table.Th scope="row" fw={400}>
        <Group gap="sm" wrap="nowrap">
          <Avatar name={name} color="initials" radius="xl" size={36} aria-hidden className={classes.avatar}>
            {initialsOf(name)}
          </Avatar>
          <Stack gap={0} miw={0}>
            <Group gap={6}>
              <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
                {name}
              </Text>
              {self && (
                <Badge size="xs" variant="light">
                  {t('you')}
                </Badge>
              )}
            </Group>
            <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {email}
            </Text>
          </Stack>
        </Group>
      </Table.Th>
      <Table.Td className={classes.side}>
        <Text size="sm" c="dimmed">
          {date(createdAt)}
        </Text>
      </Table.Td>
      <Table.Td>
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Tooltip label={t('reset.action')}>
            <ActionIcon variant="subtle" color="gray" size="lg" onClick={onReset} aria-label={t('reset.of', { name })}>
              <IconKey size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={kept ?? t('delete.action')}>
            <ActionIcon
              variant="subtle"
              color="red"
              size="lg"
              aria-disabled={kept ? true : undefined}
              data-disabled={kept ? true : undefined}
              onClick={kept ? (event) => event.preventDefault() : onDelete}
              aria-label={kept ? `${t('delete.of', { name })}. ${kept}` : t('delete.of', { name })}
            >
              <IconTrash size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

/** Of the first two words; whole characters, also where one takes two code units. */
const initialsOf = (name: string): string =>
  name
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map(([first]) => first?.toUpperCase())
    .join('');
