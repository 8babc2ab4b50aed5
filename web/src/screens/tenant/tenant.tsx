/** One company: how it stands, what it uses, who works there, and what was done to it. */
import { Badge, Code, Group, Tabs } from '@mantine/core';
import { IconBuildingOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams, useSearchParams } from 'react-router';
import { useSubscription } from 'urql';
import { useEvents } from '../../api/use-events.ts';
import { useFresh } from '../../api/use-fresh.ts';
import { ProvisioningChangesDocument, TenantChangesDocument, TenantDocument } from '../../documents.gen.ts';
import { codeOf } from '../../ui/errors.ts';
import { useFormats } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failed, PageSkeleton } from '../../ui/states.tsx';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { Time } from '../../ui/time.tsx';
import { Actions } from './actions.tsx';
import { Activity } from './activity.tsx';
import { Data } from './data.tsx';
import { Overview } from './overview.tsx';
import { Countdown } from './purge.tsx';
import { Users } from './users.tsx';

const TABS = ['overview', 'users', 'data', 'activity'] as const;

export default function Tenant() {
  const { id } = useParams();
  return <OneTenant key={id} id={id!} />;
}

function OneTenant({ id }: { id: string }) {
  const { t } = useTranslation('tenant');
  const { country } = useFormats();
  const [params, setParams] = useSearchParams();
  const { data, error, refetch } = useFresh({ query: TenantDocument, variables: { id } });
  const [removed, setRemoved] = useState(false);
  const [{ data: live }] = useSubscription({ query: ProvisioningChangesDocument, variables: { tenantId: id } });
  useEvents(TenantChangesDocument, {}, ({ tenantChanged: { kind, change, tenant } }) => {
    if (change === 'REMOVED' && tenant?.id === id) setRemoved(true);
    // Being active, it has more than the event tells of: the schema that was applied.
    else if (kind !== 'SNAPSHOT' && (!tenant || (tenant.id === id && change === 'ACTIVATED'))) refetch();
  });

  const tenant = data?.tenant;
  const back = { to: '/tenants', label: t('back') };
  const unknown = error && ['NOT_FOUND', 'VALIDATION_FAILED'].includes(codeOf(error) ?? '');
  if (removed || (unknown && tenant)) {
    return (
      <Page title={tenant?.name ?? t('removed')} back={back} badge={<StatusBadge status="REMOVED" />}>
        <Empty icon={IconBuildingOff} title={t('removed')} text={t('removedHint')} />
      </Page>
    );
  }
  if (!tenant) {
    if (!error) return <PageSkeleton />;
    return (
      <Page title={t('title')} back={back}>
        {unknown ? (
          <Empty icon={IconBuildingOff} title={t('unknown')} text={t('unknownHint')} />
        ) : (
          <Failed error={error} retry={refetch} />
        )}
      </Page>
    );
  }

  const provisioning = live?.tenantProvisioning.provisioning ?? tenant.provisioning;
  const tab = TABS.find((name) => name === params.get('tab')) ?? 'overview';
  return (
    <Page
      title={tenant.name}
      back={back}
      badge={
        <>
          <StatusBadge status={tenant.status} size="lg" />
          {tenant.archivedAt && (
            <Badge variant="default" size="lg">
              {t('badge.archived', { ns: 'offboarding' })}
            </Badge>
          )}
        </>
      }
      description={
        <Group gap="xs" fz="sm">
          <Code fz="sm">{tenant.slug}</Code>
          {tenant.country && (
            <>
              <span>{country(tenant.country)}</span>
              <span aria-hidden>·</span>
            </>
          )}
          <span>
            {t('created')} <Time at={tenant.createdAt} focusable />
          </span>
        </Group>
      }
      actions={<Actions tenant={tenant} />}
    >
      <Countdown tenant={tenant} />
      <Tabs
        value={tab}
        onChange={(name) => setParams(name === 'overview' ? {} : { tab: name! }, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="lg">
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tab.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <Overview tenant={tenant} provisioning={provisioning} />
        </Tabs.Panel>
        <Tabs.Panel value="users">
          <Users tenant={tenant} />
        </Tabs.Panel>
        <Tabs.Panel value="data">
          <Data id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="activity">
          <Activity tenantId={id} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
