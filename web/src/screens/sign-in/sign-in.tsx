/** The way in, for those who run the platform and for those who work in a company on it. */
import { Alert, Button, Group, PasswordInput, SegmentedControl, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { lastKind, type SignedIn, useSession } from '../../api/session.ts';
import mark from '../../shell/mark.svg';
import { ColorSchemeMenu, LanguageMenu } from '../../shell/preferences.tsx';
import { useFormats } from '../../ui/format.ts';
import { useNow } from '../../ui/now.ts';
import { useDocumentTitle } from '../../ui/page.tsx';
import classes from './sign-in.module.css';
import { type Refusal, useSignIn } from './use-sign-in.ts';

export function SignIn() {
  const { t } = useTranslation('sign-in');
  const { ended } = useSession();
  const [kind, setKind] = useState(lastKind);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [tenant, setTenant] = useState('');
  const [asksTenant, setAsksTenant] = useState(false);
  const { signIn, busy, refusal, forget } = useSignIn();
  const wait = useWait(refusal);
  useDocumentTitle(t('title'));
  if (refusal?.reason === 'tenantRequired' && !asksTenant) setAsksTenant(true);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy && !wait) void signIn({ kind, email: email.trim(), password, tenant: tenant.trim() });
  };
  const withTenant = kind === 'tenant' && asksTenant;

  return (
    <div className={classes.page}>
      <Group component="header" justify="flex-end" gap={4} p="sm" className={classes.preferences}>
        <LanguageMenu />
        <ColorSchemeMenu />
      </Group>
      <main className={classes.card}>
        <Stack gap="lg">
          <Group gap="sm">
            <img src={mark} alt="" width={40} height={40} />
            <div>
              <Title order={1} size="h3">
                {t('title')}
              </Title>
              <Text size="sm" c="dimmed">
                {t('subtitle')}
              </Text>
            </div>
          </Group>
          {ended && !refusal && (
            <Alert color="blue" icon={<IconInfoCircle aria-hidden />} role="status">
              {t(`ended.${ended}`)}
            </Alert>
          )}
          {refusal && refusal.reason !== 'tenantRequired' && (
            <Alert color="red" icon={<IconAlertTriangle aria-hidden />} role="alert">
              {t(`refused.${refusal.reason}`)} {refusal.reason === 'wrong' && t(`other.${kind}`)}{' '}
              {wait && t('wait', { wait })}
            </Alert>
          )}
          <form onSubmit={submit}>
            <Stack gap="md">
              <SegmentedControl
                fullWidth
                aria-label={t('kind.name')}
                data={[
                  { value: 'platform', label: t('kind.platform') },
                  { value: 'tenant', label: t('kind.tenant') },
                ]}
                value={kind}
                onChange={(value) => {
                  setKind(value as SignedIn['kind']);
                  forget();
                }}
              />
              <TextInput
                label={t('email')}
                type="email"
                name="email"
                autoComplete="username"
                required
                withAsterisk={false}
                autoFocus
                value={email}
                onChange={(event) => setEmail(event.currentTarget.value)}
              />
              <PasswordInput
                label={t('password')}
                name="password"
                autoComplete="current-password"
                required
                withAsterisk={false}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
              />
              {withTenant && (
                <TextInput
                  label={t('tenant')}
                  description={t('tenantHint')}
                  name="organization"
                  autoComplete="organization"
                  autoCapitalize="none"
                  required
                  withAsterisk={false}
                  autoFocus
                  value={tenant}
                  onChange={(event) => setTenant(event.currentTarget.value)}
                />
              )}
              <Button type="submit" size="md" loading={busy} disabled={!!wait}>
                {t('submit')}
              </Button>
            </Stack>
          </form>
        </Stack>
      </main>
    </div>
  );
}

/** How long another attempt is pointless, counting down; undefined when there may be one. */
function useWait(refusal: Refusal | undefined): string | undefined {
  const { duration } = useFormats();
  const now = useNow(1000);
  const left = (refusal?.until ?? 0) - now;
  return left > 0 ? duration(Math.ceil(left / 1000) * 1000) : undefined;
}
