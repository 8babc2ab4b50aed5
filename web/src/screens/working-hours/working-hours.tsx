/** When the business is open: whether it is now, its week, its holidays and special hours, and its clock. */
import { Alert, Stack, Tabs, VisuallyHidden } from '@mantine/core';
import { IconCalendarEvent, IconCalendarWeek, IconLock } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { useQuery } from 'urql';
import {
  type HoursStatusFragment,
  WeekOutlookDocument,
  WorkingDivisionsDocument,
  WorkingHoursExceptionsDocument,
} from '../../documents.gen.ts';
import { useNow } from '../../ui/now.ts';
import { Page } from '../../ui/page.tsx';
import { PageSkeleton } from '../../ui/states.tsx';
import { Dot } from '../../ui/status-badge.tsx';
import { addDays, startOfDay, todayIn, weekAround } from './dates.ts';
import { ExceptionsTab } from './exceptions-tab.tsx';
import { useLeaveGuard } from './leave-guard.tsx';
import { type Rights, useRights } from './rights.ts';
import { type Division, OwnHours, ScopePicker } from './scope-bar.tsx';
import { seenWeek } from './seen-week.ts';
import { StatusCard } from './status-card.tsx';
import { TimeZoneDialog } from './time-zone.tsx';
import { useSchedule } from './use-schedule.ts';
import { useStatus } from './use-status.ts';
import { WeekTab } from './week-tab.tsx';

/** Of a week: an opening and a closing for each hour would be fewer. */
const MOST_CHANGES = 400;
const FRESH = { requestPolicy: 'network-only' } as const;

export default function WorkingHours() {
  const rights = useRights();
  const [{ data }, readDivisions] = useQuery({ query: WorkingDivisionsDocument, pause: !rights.seesDivisions });
  const [divisionId, setDivisionId] = useState<string>();
  if (!rights.isKnown) return <PageSkeleton />;
  const divisions = data?.divisions ?? [];
  return (
    <HoursOf
      key={divisionId ?? 'organization'}
      rights={rights}
      divisions={divisions}
      division={divisions.find(({ id }) => id === divisionId)}
      onPick={setDivisionId}
      onDivisions={() => readDivisions(FRESH)}
    />
  );
}

interface Props {
  rights: Rights;
  divisions: readonly Division[];
  division?: Division;
  onPick(divisionId: string | undefined): void;
  onDivisions(): void;
}

function HoursOf({ rights, divisions, division, onPick, onDivisions }: Props) {
  const { t } = useTranslation('working-hours');
  const [params, setParams] = useSearchParams();
  const tab = params.get('tab') === 'exceptions' ? 'exceptions' : 'week';
  const [isChoosingZone, setIsChoosingZone] = useState(false);
  const divisionId = division?.id;
  const mayRead = division ? rights.seesDivisions : rights.seesOrganization;
  const mayChange = division ? rights.managesDivisions : rights.managesOrganization;

  const schedule = useSchedule(divisionId, mayRead);
  const [exceptions, readExceptions] = useQuery({
    query: WorkingHoursExceptionsDocument,
    pause: !rights.seesDivisions,
  });
  const again = useCallback(() => {
    schedule.reload();
    if (rights.seesDivisions) readExceptions(FRESH);
  }, [schedule.reload, readExceptions, rights.seesDivisions]);
  const live = useStatus(divisionId, again);
  const zone = live.status?.timezone;
  const seen = useSeenWeek(!mayRead, divisionId, zone, live.status);
  const { guard, question } = useLeaveGuard(schedule.isDirty, schedule.discard);
  const list = exceptions.data?.workingHoursExceptions ?? [];
  const isEditable = mayChange && (!division || schedule.isOverride || schedule.isAdopting);

  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        divisions.length > 0 && (
          <ScopePicker divisions={divisions} divisionId={divisionId} onPick={(id) => guard(() => onPick(id))} />
        )
      }
    >
      <Stack gap="md">
        {!mayChange && (
          <Alert variant="light" color="gray" icon={<IconLock aria-hidden />} data-testid="read-only">
            {t(rights.isReadOnly ? 'readOnly.impersonation' : division ? 'readOnly.division' : 'readOnly.organization')}
          </Alert>
        )}
        <StatusCard
          live={live}
          division={division?.name}
          onChangeZone={mayChange ? () => setIsChoosingZone(true) : undefined}
        />
        {division && !schedule.isLoading && !schedule.error && (
          <OwnHours division={division} schedule={schedule} mayChange={mayChange} />
        )}
        {zone && (
          <Tabs
            value={tab}
            onChange={(name) => setParams(name === 'week' ? {} : { tab: name! }, { replace: true })}
            keepMounted={false}
          >
            {rights.seesDivisions && (
              <Tabs.List mb="md">
                <Tabs.Tab
                  value="week"
                  leftSection={<IconCalendarWeek size={18} aria-hidden />}
                  rightSection={schedule.isDirty && tab !== 'week' && <Dot color="orange" />}
                >
                  {t('tab.week')}
                  {schedule.isDirty && <VisuallyHidden>, {t('draft.title')}</VisuallyHidden>}
                </Tabs.Tab>
                <Tabs.Tab value="exceptions" leftSection={<IconCalendarEvent size={18} aria-hidden />}>
                  {t('tab.exceptions')}
                </Tabs.Tab>
              </Tabs.List>
            )}
            <Tabs.Panel value="week">
              <WeekTab
                schedule={schedule}
                seen={seen}
                zone={zone}
                divisionId={divisionId}
                exceptions={list}
                isEditable={isEditable}
                onSaved={live.retry}
              />
            </Tabs.Panel>
            <Tabs.Panel value="exceptions">
              <ExceptionsTab
                exceptions={list}
                isLoading={exceptions.fetching && !exceptions.data}
                error={exceptions.error}
                division={division}
                divisions={divisions}
                rights={rights}
                zone={zone}
                onChanged={() => {
                  readExceptions(FRESH);
                  live.retry();
                }}
              />
            </Tabs.Panel>
          </Tabs>
        )}
        {zone && mayChange && (
          <TimeZoneDialog
            opened={isChoosingZone}
            onClose={() => setIsChoosingZone(false)}
            zone={zone}
            division={division}
            onSaved={() => {
              onDivisions();
              live.retry();
            }}
          />
        )}
        {question}
      </Stack>
    </Page>
  );
}

/** What those see who may not read the entries: this week as it is lived. */
function useSeenWeek(
  isAsked: boolean,
  divisionId: string | undefined,
  zone: string | undefined,
  status: HoursStatusFragment | undefined,
) {
  const today = todayIn(zone ?? 'UTC', useNow(60_000));
  const monday = weekAround(today)[1]!;
  const from = startOfDay(monday, zone ?? 'UTC').toISOString();
  // A preview of what stands goes by today's hours also for the days that are over.
  const [{ data }, ask] = useQuery({
    query: WeekOutlookDocument,
    variables: { input: { divisionId, from, count: MOST_CHANGES } },
    pause: !isAsked || !zone,
  });
  // Another status may come of other hours.
  useEffect(() => {
    if (isAsked && zone) ask({ requestPolicy: 'network-only' });
  }, [status]);
  return useMemo(() => {
    if (!isAsked || !zone) return undefined;
    if (!data) return [];
    const end = startOfDay(addDays(monday, 8), zone).toISOString();
    const changes = data.workingHoursPreview.changes.filter(({ at }) => at < end);
    return seenWeek(changes, monday, zone, status?.isWorkingHours ?? false);
  }, [isAsked, zone, monday, data, status]);
}
