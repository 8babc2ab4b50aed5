/** The end of a suspended tenant: a countdown that can be called off. */
import { Alert, Button, Group, List, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconTrashX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient, useMutation } from 'urql';
import { CancelPurgeDocument, PurgeTenantDocument, type TenantRowFragment } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { sentenceOf } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';
import { useNow } from '../../ui/now.ts';
import { Section } from './overview.tsx';

/** In minutes. */
const COUNTDOWNS = [60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60, 90 * 24 * 60].map(String);
const USUAL = COUNTDOWNS[3]!;

export function Purge({ tenant }: { tenant: TenantRowFragment }) {
  const { t } = useTranslation('offboarding');
  const client = useClient();
  const [asked, setAsked] = useState(false);
  const [slug, setSlug] = useState('');
  const [minutes, setMinutes] = useState(USUAL);
  const { id, name, purgeAt } = tenant;
  const confirm = async () => {
    const variables = { tenantId: id, slug: slug.trim(), afterMinutes: Number(minutes) };
    const { error } = await client.mutation(PurgeTenantDocument, variables).toPromise();
    if (!error) setSlug('');
    return error;
  };
  if (purgeAt) return null;
  return (
    <Section title={t('purge.title')}>
      <Stack gap="md">
        <Text size="sm">{t('purge.text')}</Text>
        <Group>
          <Button
            color="red"
            variant="outline"
            leftSection={<IconTrashX size={18} aria-hidden />}
            onClick={() => setAsked(true)}
          >
            {t('purge.action')}
          </Button>
        </Group>
      </Stack>
      <Confirm
        opened={asked}
        onClose={() => setAsked(false)}
        title={t('purge.confirm', { name })}
        action={t('purge.begin')}
        danger
        disabled={slug.trim() !== tenant.slug}
        onConfirm={confirm}
      >
        <List size="sm" spacing={4}>
          <List.Item>{t('purge.everything')}</List.Item>
          <List.Item>{t('purge.untilThen')}</List.Item>
          <List.Item>{t('purge.log')}</List.Item>
        </List>
        <Select
          label={t('purge.countdown')}
          data={COUNTDOWNS.map((value) => ({ value, label: t(`purge.after.${value}`) }))}
          value={minutes}
          allowDeselect={false}
          onChange={(value) => setMinutes(value ?? USUAL)}
        />
        <TextInput
          label={t('purge.slug', { slug: tenant.slug })}
          value={slug}
          onChange={(event) => setSlug(event.currentTarget.value)}
        />
      </Confirm>
    </Section>
  );
}

/** Above everything else of the tenant, while its end is near. */
export function Countdown({ tenant }: { tenant: TenantRowFragment }) {
  const { t } = useTranslation('offboarding');
  const { relative, dateTime } = useFormats();
  const now = useNow(1000);
  const [{ fetching }, cancel] = useMutation(CancelPurgeDocument);
  const { id, purgeAt } = tenant;
  if (!purgeAt) return null;
  const callOff = async () => {
    const { error } = await cancel({ tenantId: id });
    if (error) notify.failed(sentenceOf(error, t));
    else notify.done(t('purge.calledOff'));
  };
  const over = Date.parse(purgeAt) <= now;
  return (
    <Alert color="red" icon={<IconTrashX size={20} aria-hidden />} title={t('purge.ends')} data-testid="countdown">
      <Group justify="space-between" gap="sm">
        <Text size="sm">
          {over ? t('purge.now') : t('purge.removed', { when: relative(purgeAt, now), at: dateTime(purgeAt) })}
        </Text>
        {!over && (
          <Button size="xs" color="red" variant="outline" loading={fetching} onClick={callOff}>
            {t('purge.cancel')}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
