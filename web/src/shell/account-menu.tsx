/** Who is signed in, and the way out. */
import { ActionIcon, Menu, Text, Tooltip } from '@mantine/core';
import { IconLogout, IconUserCircle, IconUserPlus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { setSession, useSession } from '../api/session.ts';
import { useFresh } from '../api/use-fresh.ts';
import { LogoutDocument, MeDocument } from '../documents.gen.ts';
import { notify } from '../ui/notify.tsx';

export function AccountMenu() {
  const { t } = useTranslation('shell');
  const client = useClient();
  const { signedIn, impersonation } = useSession();
  const { data } = useFresh({ query: MeDocument });
  const email = signedIn?.email ?? '';
  const me = impersonation ? undefined : data?.me;

  const signOut = async () => {
    // First, since the end of the session also ends the socket, which would tell of a session that was lost.
    setSession({ ended: 'signedOut' });
    const { error } = await client.mutation(LogoutDocument, {}).toPromise();
    if (error?.networkError) notify.failed(t('account.untold'));
  };

  return (
    <Menu position="bottom-end" width={260}>
      <Tooltip label={t('account.name')}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('account.name')}>
            <IconUserCircle size={22} aria-hidden />
          </ActionIcon>
        </Menu.Target>
      </Tooltip>
      <Menu.Dropdown>
        <Menu.Label component="div">
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {me?.name ?? email}
          </Text>
          <Text size="xs" truncate>
            {email}
          </Text>
          <Text size="xs">
            {signedIn?.kind === 'platform'
              ? t('account.superAdmin')
              : t('account.at', { role: me?.role ?? '', tenant: signedIn?.tenantName ?? '' })}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        {!impersonation && (
          <Menu.Item leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setSession({})}>
            {t('account.other')}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
          {t('account.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
