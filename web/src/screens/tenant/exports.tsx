/** Exports of a tenant: how far they are, and their files. */
import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core';
import { IconDatabaseExport, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { getSession, tokenOf } from '../../api/session.ts';
import { type ExportRowFragment, ExportTenantDocument, type TenantRowFragment } from '../../documents.gen.ts';
import { reasonText, sentenceOf } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { notify } from '../../ui/notify.tsx';
import { Time } from '../../ui/time.tsx';
import { Section } from './overview.tsx';
import classes from './tenant.module.css';

interface ExportsProps {
  tenant: TenantRowFragment;
  exports: readonly ExportRowFragment[];
  onAsked: () => void;
}

export function Exports({ tenant, exports, onAsked }: ExportsProps) {
  const { t } = useTranslation('offboarding');
  const [{ fetching }, ask] = useMutation(ExportTenantDocument);
  const begin = async () => {
    const { error } = await ask({ tenantId: tenant.id });
    if (error) notify.failed(sentenceOf(error, t));
    onAsked();
  };
  return (
    <Section title={t('export.title')}>
      <Stack gap="md">
        <Text size="sm">{t('export.text')}</Text>
        {exports.length > 0 && (
          <ul className={classes.list} aria-label={t('export.title')}>
            {exports.map((one) => (
              <Row key={one.id} tenantId={tenant.id} one={one} />
            ))}
          </ul>
        )}
        <Group>
          <Button
            variant="default"
            leftSection={<IconDatabaseExport size={18} aria-hidden />}
            loading={fetching}
            disabled={!!tenant.archivedAt || tenant.status === 'PROVISIONING'}
            onClick={begin}
          >
            {t('export.action')}
          </Button>
          {tenant.archivedAt && (
            <Text size="sm" c="dimmed">
              {t('export.archived')}
            </Text>
          )}
        </Group>
      </Stack>
    </Section>
  );
}

function Row({ tenantId, one }: { tenantId: string; one: ExportRowFragment }) {
  const { t } = useTranslation('offboarding');
  const { number } = useFormats();
  const { state, records, recordsTotal, error, createdAt, expiresAt, requestedBy } = one;
  const part = recordsTotal ? (100 * records) / recordsTotal : 0;
  return (
    <li data-testid="export">
      <Stack gap={6} p="sm">
        <Group justify="space-between" gap="xs">
          <Text size="sm" component="div">
            <Text span inherit fw={600}>
              {t(`export.state.${state}`)}
            </Text>
            {' · '}
            {number(records)}{' '}
            {recordsTotal && state !== 'READY' ? t('export.of', { total: number(recordsTotal) }) : t('export.records')}
          </Text>
          <Text size="xs" c="dimmed" component="div">
            {requestedBy && `${requestedBy} · `}
            <Time at={createdAt} focusable />
            {state === 'READY' && expiresAt && (
              <>
                {' · '}
                {t('export.until')} <Time at={expiresAt} focusable />
              </>
            )}
          </Text>
        </Group>
        {(state === 'RUNNING' || state === 'QUEUED') && (
          <Progress.Root size={8}>
            <Progress.Section value={part} animated aria-label={t('export.progress')} />
          </Progress.Root>
        )}
        {error && state !== 'READY' && (
          <Alert color="orange" p="xs">
            {reasonText(error)}
          </Alert>
        )}
        {state === 'READY' && (
          <Group gap="sm">
            <Download tenantId={tenantId} one={one} part="data" />
            {one.files && <Download tenantId={tenantId} one={one} part="files" />}
          </Group>
        )}
      </Stack>
    </li>
  );
}

interface DownloadProps {
  tenantId: string;
  one: ExportRowFragment;
  part: 'data' | 'files';
}

/** The token goes in a header, which a plain link cannot send; the browser keeps what is large on its disk. */
function Download({ tenantId, one, part }: DownloadProps) {
  const { t } = useTranslation('offboarding');
  const { bytes } = useFormats();
  const [busy, setBusy] = useState(false);
  const fetchFile = async () => {
    setBusy(true);
    try {
      const response = await fetch(`/api/super-admin/tenants/${tenantId}/exports/${one.id}/download?part=${part}`, {
        headers: { authorization: `Bearer ${tokenOf(getSession())}` },
        credentials: 'omit',
      });
      if (!response.ok) throw new Error((await response.json()).error);
      const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await response.blob());
      link.download = name ?? `${one.id}.${part}`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      notify.failed(`${t('export.failed')} ${(error as Error).message}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      loading={busy}
      onClick={fetchFile}
    >
      {t(`export.download.${part}`)} ({bytes(one[part]!.bytes)})
    </Button>
  );
}
