/** A tenant's data as a whole: exports of it; of a suspended one also its archive and its end. */
import { Stack, Text } from '@mantine/core';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { useEvents } from '../../api/use-events.ts';
import { useEvery } from '../../api/use-every.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { TenantChangesDocument, TenantDataDocument } from '../../documents.gen.ts';
import { Failed, PageSkeleton } from '../../ui/states.tsx';
import { Archive } from './archive.tsx';
import { Exports } from './exports.tsx';
import { Section } from './overview.tsx';
import { Purge } from './purge.tsx';

const LOOK_AGAIN_MS = 1000;

export function Data({ id }: { id: string }) {
  const { t } = useTranslation('offboarding');
  const { data, error, refetch } = useFresh({ query: TenantDataDocument, variables: { id } });
  useEvents(TenantChangesDocument, {}, ({ tenantChanged: { tenant } }) => {
    if (tenant?.id === id) refetch();
  });
  const run = data?.tenant.offboarding;
  const underWay =
    (run && !['SUCCEEDED', 'FAILED'].includes(run.state)) ||
    data?.tenantExports.some(({ state }) => state === 'QUEUED' || state === 'RUNNING');
  useEvery(
    LOOK_AGAIN_MS,
    useCallback(() => {
      if (underWay) refetch();
    }, [underWay, refetch]),
  );
  if (!data) return error ? <Failed error={error} retry={refetch} /> : <PageSkeleton />;
  const { tenant, tenantExports } = data;
  return (
    <Stack gap="lg">
      <Exports tenant={tenant} exports={tenantExports} onAsked={refetch} />
      {tenant.status === 'ACTIVE' && (
        <Section title={t('leaving.title')}>
          <Text size="sm">{t('leaving.text')}</Text>
        </Section>
      )}
      {tenant.status === 'SUSPENDED' && (
        <>
          <Archive tenant={tenant} onAsked={refetch} />
          <Purge tenant={tenant} />
        </>
      )}
    </Stack>
  );
}
