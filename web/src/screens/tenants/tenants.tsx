/** All companies on the platform, live. */
import { Alert, Button, Group, Paper, Select, Text } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconBuildingPlus, IconChevronLeft, IconChevronRight, IconSearchOff } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Empty, Failed } from '../../ui/states.tsx';
import { CreateTenant } from './create-tenant.tsx';
import { StatusFilter } from './filters.tsx';
import { useListState } from './list-state.ts';
import { TenantCards } from './tenant-cards.tsx';
import { type Order, TenantTable } from './tenant-table.tsx';
import classes from './tenants.module.css';
import { PAGE, useTenants } from './use-tenants.ts';

const SORTS = [
  'CREATED_AT-DESC',
  'CREATED_AT-ASC',
  'NAME-ASC',
  'NAME-DESC',
  'SLUG-ASC',
  'SLUG-DESC',
  'STATUS-ASC',
  'STATUS-DESC',
];

export default function Tenants() {
  const { t } = useTranslation('tenants');
  const [creating, { open, close }] = useDisclosure(false);
  const narrow = useMediaQuery('(max-width: 70em)', false, { getInitialValueInEffect: false });
  const { state, change, next, previous, before } = useListState();
  const { page, counts, unseen, forgetUnseen, changed } = useTenants(state);
  const tenants = page.data?.tenants.nodes;
  // Another page is read from its top.
  const seen = useRef(state.after);
  useEffect(() => {
    if (seen.current !== state.after) window.scrollTo(0, 0);
    seen.current = state.after;
  }, [state.after]);
  const filtered = !!(state.search || state.status);
  const create = (
    <Button leftSection={<IconBuildingPlus size={18} aria-hidden />} onClick={open}>
      {t('create')}
    </Button>
  );

  return (
    <Page title={t('title')} description={t('description')} actions={create}>
      <StatusFilter counts={counts} value={state.status} onChange={(status) => change({ status })} />
      <Group gap="sm" justify="space-between">
        <SearchField label={t('search')} value={state.search} onChange={(search) => change({ search })} />
        <Select
          aria-label={t('sort.name')}
          data={SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))}
          value={`${state.field}-${state.direction}`}
          onChange={(value) => value && change(orderOf(value))}
          allowDeselect={false}
          w={190}
        />
      </Group>
      {unseen > 0 && (
        <Alert color="blue" p="xs" role="status">
          <Group justify="space-between" gap="xs">
            <Text size="sm">{t('unseen', { count: unseen })}</Text>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => {
                forgetUnseen();
                change({ search: '', status: undefined, field: 'CREATED_AT', direction: 'DESC' });
              }}
            >
              {t('showUnseen')}
            </Button>
          </Group>
        </Alert>
      )}
      {!tenants && page.error ? (
        <Failed error={page.error} retry={page.refetch} />
      ) : tenants?.length === 0 ? (
        <Paper withBorder>
          <Empty
            icon={filtered ? IconSearchOff : IconBuildingPlus}
            title={t(filtered ? 'noneFound' : 'none')}
            text={t(filtered ? 'noneFoundHint' : 'noneHint')}
            action={
              filtered ? (
                <Button variant="default" onClick={() => change({ search: '', status: undefined })}>
                  {t('clearFilters')}
                </Button>
              ) : (
                create
              )
            }
          />
        </Paper>
      ) : narrow ? (
        <TenantCards tenants={tenants} changed={changed} />
      ) : (
        <Paper withBorder className={classes.list} aria-busy={page.fetching}>
          <TenantTable tenants={tenants} changed={changed} order={state} onOrder={change} />
        </Paper>
      )}
      {tenants && tenants.length > 0 && (
        <Pager
          shown={tenants.length}
          before={before}
          total={state.search ? undefined : countOf(counts, state.status)}
          onPrevious={previous}
          onNext={
            page.data?.tenants.pageInfo.hasNextPage ? () => next(page.data!.tenants.pageInfo.endCursor!) : undefined
          }
        />
      )}
      <CreateTenant opened={creating} onClose={close} />
    </Page>
  );
}

const orderOf = (sort: string) => {
  const [field, direction] = sort.split('-');
  return { field, direction } as Order;
};

function countOf(counts: ReturnType<typeof useTenants>['counts'], status?: string): number | undefined {
  if (!counts) return undefined;
  const { total, active, suspended } = counts;
  if (status === 'ACTIVE') return active;
  if (status === 'SUSPENDED') return suspended;
  return status ? total - active - suspended : total;
}

interface PagerProps {
  shown: number;
  /** Pages before this one, if that is known. */
  before?: number;
  total?: number;
  onPrevious?: () => void;
  onNext?: () => void;
}

function Pager({ shown, before, total, onPrevious, onNext }: PagerProps) {
  const { t } = useTranslation('tenants');
  const { number } = useFormats();
  const first = before === undefined ? undefined : before * PAGE + 1;
  const range = first && { from: number(first), to: number(first + shown - 1) };
  return (
    <Group component="nav" justify="space-between" gap="sm" aria-label={t('pages')}>
      <Text size="sm" c="dimmed">
        {!range ? '' : total === undefined ? t('range', range) : t('rangeOf', { ...range, total: number(total) })}
      </Text>
      <Group gap="xs">
        <Button
          variant="default"
          leftSection={<IconChevronLeft size={16} aria-hidden />}
          disabled={!onPrevious}
          onClick={onPrevious}
        >
          {t('previous')}
        </Button>
        <Button
          variant="default"
          rightSection={<IconChevronRight size={16} aria-hidden />}
          disabled={!onNext}
          onClick={onNext}
        >
          {t('next')}
        </Button>
      </Group>
    </Group>
  );
}
