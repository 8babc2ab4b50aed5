/** What was done to a tenant lately, as it is being done. */
import { Anchor, Paper, Skeleton, Stack, Text } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useEvents } from '../../api/use-events.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { type AuditEntryFieldsFragment, AuditTailDocument, TenantActivityDocument } from '../../documents.gen.ts';
import { AuditEntryRow } from '../../ui/audit-entry.tsx';
import { Empty, Failed } from '../../ui/states.tsx';
import classes from './tenant.module.css';

const MOST = 30;

export function Activity({ tenantId }: { tenantId: string }) {
  const { t } = useTranslation('tenant');
  const { data, error, refetch } = useFresh({ query: TenantActivityDocument, variables: { tenantId, first: MOST } });
  const [arrived, setArrived] = useState<AuditEntryFieldsFragment[]>([]);
  useEvents(AuditTailDocument, {}, ({ auditEntryAdded: { kind, entry } }) => {
    if (kind === 'RESET') refetch();
    if (entry?.tenantId === tenantId) setArrived((before) => [entry, ...before]);
  });

  if (!data) {
    if (error) return <Failed error={error} retry={refetch} />;
    return (
      <Stack gap="xs" aria-busy>
        {[0, 1, 2, 3, 4].map((index) => (
          <Skeleton key={index} height={58} />
        ))}
      </Stack>
    );
  }
  const known = new Set(data.auditLog.nodes.map(({ id }) => id));
  const fresh = new Set(arrived.map(({ id }) => id));
  const entries = [...arrived.filter(({ id }) => !known.has(id)), ...data.auditLog.nodes].slice(0, MOST);
  return (
    <Stack gap="md">
      <Paper withBorder>
        {entries.length ? (
          <ul className={classes.list} aria-label={t('tab.activity')}>
            {entries.map((entry) => (
              <AuditEntryRow key={entry.id} entry={entry} showTenant={false} fresh={fresh.has(entry.id)} />
            ))}
          </ul>
        ) : (
          <Empty icon={IconHistory} title={t('activity.none')} />
        )}
      </Paper>
      <Text size="sm">
        <Anchor component={Link} to={`/audit?tenant=${tenantId}`}>
          {t('activity.all')}
        </Anchor>
      </Text>
    </Stack>
  );
}
