/** Upgrades of tenants' databases: the one that goes on, live, what it has set aside, and those of before. */
import { Alert, Button, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconCircleCheck, IconDatabaseImport, IconPlayerPlay } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failed, PageSkeleton } from '../../ui/states.tsx';
import { FormerRuns } from './former-runs.tsx';
import { RunCard } from './run-card.tsx';
import { SetAside } from './set-aside.tsx';
import { StartUpgrade } from './start-upgrade.tsx';
import { isUnfinished, useUpgrades } from './use-upgrades.ts';

export default function Upgrades() {
  const { t } = useTranslation('upgrades');
  const { number } = useFormats();
  const [starting, { open, close }] = useDisclosure(false);
  const { runs, newest, plan, setAside, underWay, error, refetch } = useUpgrades();
  const mayStart = plan !== undefined && plan.total > 0 && !(newest && isUnfinished(newest));
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        mayStart && (
          <Button leftSection={<IconPlayerPlay size={18} aria-hidden />} onClick={open}>
            {t('start.action')}
          </Button>
        )
      }
    >
      {plan && runs ? (
        <Stack gap="lg">
          <Alert
            color={plan.total === 0 ? 'teal' : 'blue'}
            icon={plan.total === 0 ? <IconCircleCheck aria-hidden /> : <IconDatabaseImport aria-hidden />}
            role="status"
          >
            <Text size="sm">
              {plan.total === 0
                ? t('allThere', { version: plan.toVersion })
                : t('behind', { count: plan.total, tenants: number(plan.total), version: plan.toVersion })}
            </Text>
          </Alert>
          {newest ? (
            <>
              <RunCard run={newest} underWay={underWay} onChange={refetch} />
              {setAside && setAside.length > 0 && <SetAside run={newest} tenants={setAside} onChange={refetch} />}
            </>
          ) : (
            <Empty icon={IconDatabaseImport} title={t('none')} text={t('noneText')} />
          )}
          {runs.length > 1 && <FormerRuns runs={runs.slice(1)} />}
          <StartUpgrade plan={plan} opened={starting} onClose={close} onStarted={refetch} />
        </Stack>
      ) : error ? (
        <Failed error={error} retry={refetch} />
      ) : (
        <PageSkeleton />
      )}
    </Page>
  );
}
