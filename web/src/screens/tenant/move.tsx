/** The database server that a tenant is on, and its move to another one as it happens. */
import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import {
  IconArrowBackUp,
  IconDatabaseShare,
  IconPlugConnectedX,
  IconRefresh,
  IconTrash,
  IconX,
} from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient, useQuery, useSubscription } from 'urql';
import {
  CancelTenantMoveDocument,
  FinishTenantMoveDocument,
  MoveChangesDocument,
  MoveTenantDocument,
  type TenantMoveFragment,
  type TenantQuery,
  TenantServersDocument,
  UndoTenantMoveDocument,
} from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { useFormats } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { AbandonMove } from './abandon-move.tsx';
import { MoveDialog } from './move-dialog.tsx';
import { Section } from './overview.tsx';
import { Step } from './provisioning-step.tsx';
import classes from './tenant.module.css';

/** What can be done, by where a move is. */
const ACTIONS = {
  again: { from: ['FAILED'], icon: IconRefresh, danger: false },
  finish: { from: ['SWITCHED'], icon: IconTrash, danger: true },
  undo: { from: ['SWITCHED'], icon: IconArrowBackUp, danger: false },
  cancel: { from: ['COPYING', 'FAILED'], icon: IconX, danger: true },
} as const;
type Action = keyof typeof ACTIONS;
const NAMES = Object.keys(ACTIONS) as Action[];

const ENDED = ['FINISHED', 'UNDONE', 'CANCELLED'];

export function Move({ tenant }: { tenant: TenantQuery['tenant'] }) {
  const { t } = useTranslation('tenant');
  const client = useClient();
  const [choosing, setChoosing] = useState(false);
  const [asked, setAsked] = useState<Action>();
  const [abandoning, setAbandoning] = useState(false);
  const [{ data: live }] = useSubscription({ query: MoveChangesDocument, variables: { tenantId: tenant.id } });
  const [{ data }] = useQuery({ query: TenantServersDocument });
  const move = live?.tenantMove.move ?? tenant.move;
  const servers = data?.databaseServers ?? [];
  const nameOf = (id?: string | null) => servers.find((server) => server.id === id)?.name ?? '…';
  const switched = move && ['SWITCHED', 'FINISHING', 'FINISHED'].includes(move.state);
  const serverId = !move ? tenant.databaseServer?.id : switched ? move.targetId : move.sourceId;
  // It tries again and again what cannot be done: a server may be gone.
  const isStuck =
    move &&
    !ENDED.includes(move.state) &&
    move.steps.some(({ state, attempt, error }) => state !== 'DONE' && (error || attempt > 1));
  // Elsewhere there is nowhere to go.
  if (servers.length < 2) return null;

  const act = async (action: Action) => {
    const tenantId = tenant.id;
    const { error } = await (action === 'again'
      ? client.mutation(MoveTenantDocument, { tenantId, serverId: move!.targetId })
      : client.mutation(
          { finish: FinishTenantMoveDocument, undo: UndoTenantMoveDocument, cancel: CancelTenantMoveDocument }[action],
          { tenantId },
        )
    ).toPromise();
    return error;
  };
  const possible = NAMES.filter((name) => move && (ACTIONS[name].from as readonly string[]).includes(move.state));

  return (
    <Section
      title={t('move.title')}
      aside={
        move &&
        !ENDED.includes(move.state) && (
          <span role="status">
            <StatusBadge status={move.state} data-testid="move-state" />
          </span>
        )
      }
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm" data-testid="server">
          {t('move.on', { server: nameOf(serverId) })}
        </Text>
        {(!move || ENDED.includes(move.state)) && tenant.status !== 'PROVISIONING' && (
          <Button
            size="sm"
            variant="default"
            leftSection={<IconDatabaseShare size={16} aria-hidden />}
            onClick={() => setChoosing(true)}
          >
            {t('move.action')}
          </Button>
        )}
      </Group>
      {move && <Course move={move} from={nameOf(move.sourceId)} to={nameOf(move.targetId)} />}
      {(possible.length > 0 || isStuck) && (
        <Group gap="sm" mt="md">
          {possible.map((name) => {
            const { icon: Icon } = ACTIONS[name];
            return (
              <Button
                key={name}
                size="sm"
                variant={name === possible[0] ? 'filled' : 'default'}
                leftSection={<Icon size={16} aria-hidden />}
                onClick={() => setAsked(name)}
              >
                {t(`move.${name}`)}
              </Button>
            );
          })}
          {isStuck && (
            <Button
              size="sm"
              variant="outline"
              color="red"
              leftSection={<IconPlugConnectedX size={16} aria-hidden />}
              onClick={() => setAbandoning(true)}
            >
              {t('move.abandon')}
            </Button>
          )}
        </Group>
      )}
      <MoveDialog
        tenant={tenant}
        servers={servers.filter(({ id }) => id !== serverId)}
        opened={choosing}
        onClose={() => setChoosing(false)}
      />
      <AbandonMove tenant={tenant} server={nameOf(serverId)} opened={abandoning} onClose={() => setAbandoning(false)} />
      {asked && (
        <Confirm
          opened
          onClose={() => setAsked(undefined)}
          title={t(`move.${asked}Title`, { name: tenant.name })}
          action={t(`move.${asked}`)}
          danger={ACTIONS[asked].danger}
          onConfirm={() => act(asked)}
        >
          <Text size="sm">{t(`move.${asked}Text`, { from: nameOf(move?.sourceId), to: nameOf(move?.targetId) })}</Text>
        </Confirm>
      )}
    </Section>
  );
}

function Course({ move, from, to }: { move: TenantMoveFragment; from: string; to: string }) {
  const { t } = useTranslation('tenant');
  const { number, percent, duration } = useFormats();
  const { state, steps, progress, readOnlyMs, leftBehind } = move;
  const share = progress.bytes > 0 ? Math.min(1, progress.bytesCopied / progress.bytes) : 0;
  const text = t('move.copied', {
    percent: percent(share),
    tables: number(progress.tablesCopied),
    all: number(progress.tables),
  });
  return (
    <Stack gap="sm" mt="md">
      <Text size="sm" fw={600}>
        {t(`move.state.${state}`, { from, to })}
      </Text>
      {state === 'SWITCHING' && (
        <Alert color="blue" p="sm">
          {t('move.readOnly')}
        </Alert>
      )}
      {['COPYING', 'SWITCHING'].includes(state) && (
        <div>
          <Progress.Root size={8} role="presentation">
            <Progress.Section value={share * 100} aria-label={t('move.progress')} aria-valuetext={text} />
          </Progress.Root>
          <Text size="xs" c="dimmed" mt={4}>
            {text}
          </Text>
        </div>
      )}
      {readOnlyMs != null && (
        <Text size="xs" c="dimmed">
          {t('move.waited', { duration: duration(readOnlyMs) })}
        </Text>
      )}
      {leftBehind && (
        <Alert color="yellow" p="sm" title={t('move.left')}>
          {leftBehind.map((line) => (
            <Text key={line} size="sm" style={{ overflowWrap: 'anywhere' }}>
              {line}
            </Text>
          ))}
        </Alert>
      )}
      {!ENDED.includes(state) && (
        <ol className={classes.steps} aria-label={t('move.steps')}>
          {steps.map((step) => (
            <Step key={step.name} step={step} />
          ))}
        </ol>
      )}
    </Stack>
  );
}
