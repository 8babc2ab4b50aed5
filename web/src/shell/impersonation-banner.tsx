/** That one acts as somebody else: who, as whom, why, how long still, and the way back. */
import { Button, Group } from '@mantine/core';
import { IconSpy } from '@tabler/icons-react';
import { useCallback, useEffect } from 'react';
import { flushSync } from 'react-dom';
import { Trans, useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useClient } from 'urql';
import { dropCredentials, type Impersonation, setSession, useSession } from '../api/session.ts';
import { LogoutDocument } from '../documents.gen.ts';
import { notify } from '../ui/notify.tsx';
import { useNow } from '../ui/now.ts';
import classes from './shell.module.css';

export function ImpersonationBanner() {
  const { impersonation } = useSession();
  return impersonation ? <Banner impersonation={impersonation} /> : null;
}

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

function Banner({ impersonation }: { impersonation: Impersonation }) {
  const { t } = useTranslation('shell');
  const { signedIn } = useSession();
  const client = useClient();
  const navigate = useNavigate();
  const now = useNow(1000);
  const { token, tenantId, tenantName, email, reason, readOnly, expiresAt } = impersonation;
  const left = Math.max(0, Math.ceil((expiresAt - now) / 1000));

  const leave = useCallback(
    (change: () => void) => {
      // Both at once: the platform's side does not know the address of the tenant's.
      flushSync(() => {
        change();
        navigate(`/tenants/${tenantId}`);
      });
    },
    [navigate, tenantId],
  );
  useEffect(() => {
    if (left > 0) return;
    const timer = setTimeout(() => leave(() => dropCredentials(token, 'expired')));
    return () => clearTimeout(timer);
  }, [left, leave, token]);

  const end = async () => {
    // First, since the end of the impersonation also ends its socket.
    leave(() => setSession({ signedIn, returned: 'ended' }));
    const { error } = await client.mutation(LogoutDocument, {}).toPromise();
    if (error?.networkError) notify.failed(t('impersonation.untold'));
  };

  return (
    <section className={classes.impersonation} aria-label={t('impersonation.name')} data-testid="impersonation">
      <IconSpy size={20} aria-hidden style={{ flex: 'none' }} />
      <p>
        <Trans
          t={t}
          i18nKey={readOnly ? 'impersonation.looking' : 'impersonation.acting'}
          values={{ who: signedIn?.email, whom: email, tenant: tenantName }}
          components={{ b: <strong /> }}
        />{' '}
        {reason && t('impersonation.because', { reason })}
      </p>
      <Group gap="md" ml="auto">
        <span className={classes.left} role="timer" aria-label={t('impersonation.left', { left: clock(left) })}>
          {clock(left)}
        </span>
        <Button size="compact-sm" color="white" c="#6d1b7b" onClick={end}>
          {t('impersonation.end')}
        </Button>
      </Group>
    </section>
  );
}
