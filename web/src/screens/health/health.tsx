/** How the platform stands, component by component, as it changes. */
import { SegmentedControl, SimpleGrid, Skeleton, Stack } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useConnection } from '../../api/live.ts';
import { Page } from '../../ui/page.tsx';
import { Failed } from '../../ui/states.tsx';
import { Announcer } from './announcer.tsx';
import { Banner } from './banner.tsx';
import { ComponentGroup } from './component-group.tsx';
import { GROUPS, type GroupName } from './components.ts';
import { DatabaseServers } from './database-servers.tsx';
import classes from './health.module.css';
import { Channels, Tenants } from './surroundings.tsx';
import { RANGES, type RangeName } from './timeline.ts';
import { useHealth } from './use-health.ts';

export default function Health() {
  const { t } = useTranslation('health');
  const [range, setRange] = useState<RangeName>('hour');
  const { report, error, timeline, refetch } = useHealth(range);
  const connection = useConnection();
  const stale = connection.state === 'lost' || (error !== undefined && report !== undefined);
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        <SegmentedControl
          aria-label={t('range.label')}
          value={range}
          onChange={(value) => setRange(value as RangeName)}
          data={(Object.keys(RANGES) as RangeName[]).map((value) => ({ value, label: t(`range.${value}`) }))}
        />
      }
    >
      {report ? (
        <>
          <Announcer report={report} />
          <Banner report={report} stale={stale} />
          <Stack gap="xl" className={classes.content} data-stale={stale || undefined}>
            {(Object.keys(GROUPS) as GroupName[]).map((group) => (
              <ComponentGroup key={group} group={group} report={report} range={range} timeline={timeline} />
            ))}
            {report.databaseServers && <DatabaseServers servers={report.databaseServers} />}
            <Channels platforms={report.platforms} />
            <Tenants counts={report.tenants} />
          </Stack>
        </>
      ) : error ? (
        <Failed error={error} retry={refetch} />
      ) : (
        <HealthSkeleton />
      )}
    </Page>
  );
}

const HealthSkeleton = () => (
  <Stack gap="xl" aria-busy>
    <Skeleton height={74} />
    {[6, 4].map((count) => (
      <Stack key={count} gap="sm">
        <Skeleton height={24} width={160} />
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="md">
          {Array.from({ length: count }, (_, index) => index).map((index) => (
            <Skeleton key={index} height={210} />
          ))}
        </SimpleGrid>
      </Stack>
    ))}
  </Stack>
);
