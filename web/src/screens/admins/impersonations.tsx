/** Who is in which tenant at this moment, and the way to get them out. */
import { Badge, Button, Group, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconDoorExit, IconSpy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { useLogged } from '../../api/use-logged.ts';
import { EndImpersonationDocument, ImpersonationsDocument, type ImpersonationsQuery } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';
import { useNow } from '../../ui/now.ts';
import { Section } from '../../ui/section.tsx';
import { TenantName } from '../../ui/tenant-name.tsx';
import { Time } from '../../ui/time.tsx';
import classes from './admins.module.css';

type Impersonation = ImpersonationsQuery['impersonations'][number];

export function Impersonations() {
  const { t } = useTranslation('admins');
  const now = useNow(5000);
  const answer = useLogged(
    { query: ImpersonationsDocument },
    /impersonat|^tenant\.suspend$|^super_admin\.(delete|reset_password)$/,
  );
  const [ending, setEnding] = useState<Impersonation>();
  const [, end] = useMutation(EndImpersonationDocument);
  return (
    <>
      <Section title={t('inside.title')} description={t('inside.description')} answer={answer} rows={1}>
        {({ impersonations }) => {
          const live = impersonations.filter(({ expiresAt }) => Date.parse(expiresAt) > now);
          if (live.length === 0)
            return (
              <Group gap="sm" p="md" wrap="nowrap">
                <ThemeIcon variant="light" color="gray" radius="xl" size={36} className={classes.avatar}>
                  <IconSpy size={20} aria-hidden />
                </ThemeIcon>
                <Text size="sm" c="dimmed">
                  {t('inside.none')}
                </Text>
              </Group>
            );
          return (
            <ul className={classes.list}>
              {live.map((impersonation) => (
                <Row
                  key={impersonation.id}
                  impersonation={impersonation}
                  now={now}
                  onEnd={() => setEnding(impersonation)}
                />
              ))}
            </ul>
          );
        }}
      </Section>
      <Confirm
        opened={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={t('inside.endTitle')}
        action={t('inside.end')}
        danger
        onConfirm={async () => {
          const { error } = await end({ id: ending!.id });
          if (!error) {
            notify.done(t('inside.ended'));
            answer.refetch();
          }
          return error;
        }}
      >
        <Text size="sm">{t('inside.endText', { who: ending?.impersonatorEmail, as: ending?.email })}</Text>
      </Confirm>
    </>
  );
}

function Row({ impersonation, now, onEnd }: { impersonation: Impersonation; now: number; onEnd: () => void }) {
  const { t } = useTranslation('admins');
  const { relative } = useFormats();
  const { orgId, email, impersonatorEmail, reason, readOnly, createdAt, expiresAt } = impersonation;
  return (
    <li data-testid="impersonation">
      <ThemeIcon variant="light" color="violet" radius="xl" size={36} className={classes.avatar}>
        <IconSpy size={20} aria-hidden />
      </ThemeIcon>
      <Stack gap={2} flex={1} miw={0}>
        <Text size="sm" component="div" style={{ overflowWrap: 'anywhere' }}>
          <b>{impersonatorEmail}</b> {t('inside.in')} <TenantName id={orgId} />{' '}
          {email !== impersonatorEmail && (
            <>
              {t('inside.as')} <b>{email}</b>
            </>
          )}
        </Text>
        {reason && (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            “{reason}”
          </Text>
        )}
        <Group gap={6}>
          <Badge size="sm" variant="light" color={readOnly ? 'gray' : 'orange'}>
            {t(readOnly ? 'inside.readOnly' : 'inside.mayChange')}
          </Badge>
          <Text size="xs" c="dimmed" component="div">
            {t('inside.since')} <Time at={createdAt} /> · {t('inside.ends', { when: relative(expiresAt, now) })}
          </Text>
        </Group>
      </Stack>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconDoorExit size={16} aria-hidden />}
        onClick={onEnd}
        aria-label={t('inside.endOf', { who: impersonatorEmail, as: email })}
      >
        {t('inside.end')}
      </Button>
    </li>
  );
}
