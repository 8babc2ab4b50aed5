/** Where one is signed in oneself. */
import { Badge, Button, Group, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconDeviceLaptop, IconDeviceMobile, IconTerminal2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { useLogged } from '../../api/use-logged.ts';
import {
  EndOtherSessionsDocument,
  EndSessionDocument,
  OwnSessionsDocument,
  type OwnSessionsQuery,
} from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { sentenceOf } from '../../ui/errors.ts';
import { notify } from '../../ui/notify.tsx';
import { Section } from '../../ui/section.tsx';
import { Time } from '../../ui/time.tsx';
import classes from './admins.module.css';
import { deviceOf } from './user-agent.ts';

type Session = OwnSessionsQuery['sessions'][number];

/** Before one asks for more. */
const SHOWN = 5;

const ICONS = { desktop: IconDeviceLaptop, mobile: IconDeviceMobile, program: IconTerminal2 };

export function Sessions() {
  const { t } = useTranslation('admins');
  const answer = useLogged({ query: OwnSessionsDocument }, /^session\.|^super_admin\.login$/);
  const [asking, setAsking] = useState(false);
  const [all, setAll] = useState(false);
  const [, end] = useMutation(EndSessionDocument);
  const [, endOthers] = useMutation(EndOtherSessionsDocument);
  const others = answer.data?.sessions.filter(({ current }) => !current).length ?? 0;

  const endOne = async (id: string) => {
    const { error } = await end({ id });
    if (error) notify.failed(sentenceOf(error, t));
    else notify.done(t('sessions.ended', { count: 1 }));
    answer.refetch();
  };

  return (
    <>
      <Section
        title={t('sessions.title')}
        answer={answer}
        rows={1}
        actions={
          others > 0 && (
            <Button size="xs" variant="default" onClick={() => setAsking(true)}>
              {t('sessions.endOthers')}
            </Button>
          )
        }
      >
        {({ sessions }) => (
          <ul className={classes.list}>
            {[...sessions]
              .sort((a, b) => Number(b.current) - Number(a.current) || b.lastUsedAt.localeCompare(a.lastUsedAt))
              .slice(0, all ? undefined : SHOWN)
              .map((session) => (
                <Row key={session.id} session={session} onEnd={() => endOne(session.id)} />
              ))}
            {!all && sessions.length > SHOWN && (
              <li>
                <Button size="compact-sm" variant="subtle" onClick={() => setAll(true)}>
                  {t('sessions.all', { count: sessions.length })}
                </Button>
              </li>
            )}
          </ul>
        )}
      </Section>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('sessions.endOthers')}
        action={t('sessions.endOthersAction')}
        danger
        onConfirm={async () => {
          const { data, error } = await endOthers({});
          if (data) {
            notify.done(t('sessions.ended', { count: data.endOtherSessions.ended }));
            answer.refetch();
          }
          return error;
        }}
      >
        <Text size="sm">{t('sessions.endOthersText', { count: others })}</Text>
      </Confirm>
    </>
  );
}

function Row({ session, onEnd }: { session: Session; onEnd: () => Promise<void> }) {
  const { t } = useTranslation('admins');
  const [busy, setBusy] = useState(false);
  const { address, userAgent, createdAt, lastUsedAt, current } = session;
  const { kind, name } = deviceOf(userAgent);
  const Icon = ICONS[kind];
  const device = name ?? t('sessions.unknown');
  return (
    <li data-testid="session">
      <ThemeIcon variant="light" color={current ? 'teal' : 'gray'} radius="xl" size={36} className={classes.avatar}>
        <Icon size={20} aria-hidden />
      </ThemeIcon>
      <Stack gap={2} flex={1} miw={0}>
        <Group gap={6}>
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
            {device}
          </Text>
          {current && (
            <Badge size="xs" variant="light" color="teal">
              {t('sessions.current')}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed" component="div">
          {address} · {t('sessions.signedIn')} <Time at={createdAt} /> · {t('sessions.lastUsed')}{' '}
          <Time at={lastUsedAt} />
        </Text>
      </Stack>
      {!current && (
        <Button
          size="xs"
          variant="default"
          loading={busy}
          aria-label={t('sessions.endOf', { device, address })}
          onClick={async () => {
            setBusy(true);
            await onEnd();
            setBusy(false);
          }}
        >
          {t('sessions.end')}
        </Button>
      )}
    </li>
  );
}
