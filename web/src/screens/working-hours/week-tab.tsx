/** The weekly hours: the grid and the list of one draft, and beside them what it means. */
import { Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { IconCalendarWeek, IconListDetails } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ExceptionFieldsFragment } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { notify } from '../../ui/notify.tsx';
import { useNow } from '../../ui/now.ts';
import { Failed } from '../../ui/states.tsx';
import { dateText, weekdayName } from './clock-text.ts';
import { clockIn, exceptionOn, weekAround } from './dates.ts';
import { DayList } from './day-list.tsx';
import { overlapsOf, WEEKDAYS, type Week } from './draft.ts';
import { DraftBar } from './draft-bar.tsx';
import { OutlookCard } from './outlook-card.tsx';
import { useOutlook } from './use-outlook.ts';
import type { Schedule } from './use-schedule.ts';
import { overlapTexts, warningText } from './warning-text.ts';
import { WeekGrid } from './week-grid.tsx';
import classes from './week-tab.module.css';

interface Props {
  schedule: Schedule;
  /** What the caller sees of a week whose entries are not theirs to read. */
  seen?: Week;
  zone: string;
  divisionId?: string;
  exceptions: readonly ExceptionFieldsFragment[];
  isEditable: boolean;
  onSaved(): void;
}

type View = 'grid' | 'list';

export function WeekTab({ schedule, seen, zone, divisionId, exceptions, isEditable, onSaved }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const language = localeOf(i18n.language);
  const isNarrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const [kept, setView] = useLocalStorage<string>({
    key: 'omnistream.week-view',
    defaultValue: 'grid',
    getInitialValueInEffect: false,
  });
  const view: View = kept === 'list' ? 'list' : 'grid';
  const now = clockIn(zone, useNow(15_000));
  const [pickedDay, pickDay] = useState(now.day);
  const [fields, setFields] = useState<ReadonlySet<string>>(new Set());
  const onProblem = useCallback((field: string, hasOne: boolean) => {
    setFields((before) => {
      if (before.has(field) === hasOne) return before;
      const after = new Set(before);
      if (hasOne) after.add(field);
      else after.delete(field);
      return after;
    });
  }, []);

  const { week, edit, changed } = schedule;
  const shown = seen ?? week;
  const dates = useMemo(() => weekAround(now.date), [now.date]);
  const ofDays = useMemo(
    () =>
      Object.fromEntries(
        WEEKDAYS.map((day) => [day, seen ? undefined : exceptionOn(exceptions, dates[day]!, divisionId)]),
      ),
    [exceptions, dates, divisionId, seen],
  );
  const outlook = useOutlook(seen ? undefined : week, divisionId, exceptions);
  const problems = useMemo(() => overlapTexts(overlapsOf(shown), language, t), [shown, language, t]);
  const warnings = useMemo(
    () =>
      new Map(
        (outlook.outlook?.warnings ?? []).flatMap((warning) =>
          warning.key && warning.kind !== 'OVERLAP'
            ? [[warning.key, warningText(warning, week, language, t)] as const]
            : [],
        ),
      ),
    [outlook.outlook, week, language, t],
  );

  if (schedule.error && !seen) return <Failed error={schedule.error} retry={schedule.reload} />;
  if (schedule.isLoading) return <Skeleton height={740} radius="md" aria-busy />;

  const standing = new Set(week.map(({ key }) => key));
  const badFields = [...fields].filter((field) => standing.has(field.split(' ')[0]!));
  const obstacle = problems.size > 0 ? t('draft.overlap') : badFields.length > 0 ? t('draft.badTime') : undefined;
  const days = isNarrow ? [pickedDay] : WEEKDAYS;
  const parts = { week: shown, days, changed, isEditable, problems, warnings, edit, onProblem };
  const save = async () => {
    if (!(await schedule.save())) return;
    notify.done(t('draft.saved'));
    onSaved();
  };
  const grid = <WeekGrid {...parts} dates={dates} exceptions={ofDays} now={now} />;
  const list = <DayList {...parts} />;

  return (
    <Stack gap="md">
      <div className={classes.columns}>
        <Stack gap="sm" className={classes.main}>
          {isNarrow ? (
            <DayPicker
              day={pickedDay}
              today={now.day}
              changed={changed}
              problems={problemDays(shown, problems)}
              onPick={pickDay}
            />
          ) : (
            <Group justify="space-between" gap="sm">
              <SegmentedControl
                aria-label={t('view.label')}
                value={view}
                onChange={(value) => setView(value as View)}
                data={[
                  { value: 'grid', label: <ViewLabel icon={IconCalendarWeek} text={t('view.grid')} /> },
                  { value: 'list', label: <ViewLabel icon={IconListDetails} text={t('view.list')} /> },
                ]}
              />
              <Text size="sm" c="dimmed">
                {seen
                  ? t('thisWeek')
                  : isEditable && view === 'grid'
                    ? t('hint')
                    : t('weekOf', { day: dateText(dates[1]!, language, { day: 'numeric', month: 'long' }) })}
              </Text>
            </Group>
          )}
          {isNarrow ? (
            <>
              {list}
              {grid}
              {isEditable && (
                <Text size="sm" c="dimmed">
                  {t('hintTouch')}
                </Text>
              )}
            </>
          ) : view === 'grid' ? (
            grid
          ) : (
            list
          )}
        </Stack>
        <aside className={classes.aside}>
          <OutlookCard
            {...outlook}
            zone={zone}
            base={schedule.base}
            week={shown}
            isDirty={schedule.isDirty}
            isHidden={Boolean(seen)}
          />
        </aside>
      </div>
      {isEditable && <DraftBar schedule={schedule} obstacle={obstacle} onSave={save} />}
    </Stack>
  );
}

const problemDays = (week: Week, problems: ReadonlyMap<string, string>) =>
  new Set(week.flatMap(({ key, day }) => (problems.has(key) ? [day] : [])));

const ViewLabel = ({ icon: Icon, text }: { icon: typeof IconListDetails; text: string }) => (
  <Group gap={6} wrap="nowrap" component="span">
    <Icon size={16} aria-hidden />
    <span>{text}</span>
  </Group>
);

interface DayPickerProps {
  day: number;
  today: number;
  changed: readonly number[];
  problems: ReadonlySet<number>;
  onPick(day: number): void;
}

/** One day at a time, where there is no room for seven. */
function DayPicker({ day, today, changed, problems, onPick }: DayPickerProps) {
  const { t, i18n } = useTranslation('working-hours');
  return (
    <SegmentedControl
      fullWidth
      aria-label={t('view.day')}
      value={String(day)}
      onChange={(value) => onPick(Number(value))}
      styles={{ label: { paddingInline: 2 } }}
      data={WEEKDAYS.map((one) => ({
        value: String(one),
        label: (
          <span className={classes.dayLabel} data-today={one === today || undefined}>
            {weekdayName(one, localeOf(i18n.language), 'short')}
            {problems.has(one) ? (
              <span className={classes.mark} data-problem role="img" aria-label={t('hasOverlap')} />
            ) : (
              changed.includes(one) && <span className={classes.mark} role="img" aria-label={t('changedDay')} />
            )}
          </span>
        ),
      }))}
    />
  );
}
