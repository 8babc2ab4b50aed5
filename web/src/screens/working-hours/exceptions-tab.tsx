/** Holidays and special hours: a month beside the list of what comes. */
import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconCalendarOff, IconFileImport, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useMutation } from 'urql';
import { DeleteExceptionDocument, type ExceptionFieldsFragment } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { notify } from '../../ui/notify.tsx';
import { useNow } from '../../ui/now.ts';
import { Empty, Failed } from '../../ui/states.tsx';
import { comingOccurrence, todayIn } from './dates.ts';
import { ExceptionForm } from './exception-form.tsx';
import { ExceptionList } from './exception-list.tsx';
import { datesText } from './exception-text.ts';
import { ImportHolidays } from './import-holidays.tsx';
import { Month } from './month.tsx';
import type { Rights } from './rights.ts';
import type { Division } from './scope-bar.tsx';
import classes from './week-tab.module.css';

interface Props {
  exceptions: readonly ExceptionFieldsFragment[];
  isLoading: boolean;
  error?: CombinedError;
  /** Whose hours are seen. */
  division?: Division;
  divisions: readonly Division[];
  rights: Rights;
  zone: string;
  onChanged(): void;
}

export function ExceptionsTab({ exceptions, isLoading, error, division, divisions, rights, zone, onChanged }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const today = todayIn(zone, useNow(60_000));
  const [form, setForm] = useState<{ exception?: ExceptionFieldsFragment; date: string }>();
  const [doomed, setDoomed] = useState<ExceptionFieldsFragment>();
  const [isImporting, setIsImporting] = useState(false);
  const [, remove] = useMutation(DeleteExceptionDocument);
  if (error && exceptions.length === 0) return <Failed error={error} retry={onChanged} />;
  if (isLoading) return <Skeleton height={560} aria-busy />;

  const { managesOrganization, managesDivisions } = rights;
  // The organization's need both rights, as the gateway has it.
  const mayChange = ({ divisionId }: { divisionId: string | null }) =>
    managesDivisions && (divisionId !== null || managesOrganization);
  const mayAdd = managesDivisions && (division !== undefined || managesOrganization);
  const owners = division
    ? [...(managesOrganization ? [undefined] : []), division]
    : [...(managesOrganization ? [undefined] : []), ...divisions];
  const shown = exceptions.filter(({ divisionId }) => !divisionId || (division && divisionId === division.id));

  return (
    <Stack gap="md">
      {mayAdd && (
        <Group gap="sm">
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setForm({ date: today })}>
            {t('exceptions.new')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconFileImport size={18} aria-hidden />}
            onClick={() => setIsImporting(true)}
          >
            {t('exceptions.import')}
          </Button>
        </Group>
      )}
      <div className={classes.columns} data-wide>
        <Month
          exceptions={exceptions}
          divisionId={division?.id}
          today={today}
          onDay={
            managesDivisions
              ? (date, exception) => {
                  if (!exception) return mayAdd && setForm({ date });
                  return mayChange(exception) && setForm({ exception, date });
                }
              : undefined
          }
        />
        {shown.length === 0 ? (
          <Empty icon={IconCalendarOff} title={t('exceptions.empty')} text={t('exceptions.emptyText')} />
        ) : (
          <ExceptionList
            exceptions={shown}
            divisions={divisions}
            division={division}
            today={today}
            mayChange={mayChange}
            mayOptOut={managesDivisions}
            onEdit={(exception) => setForm({ exception, date: exception.startDate })}
            onDelete={setDoomed}
            onChanged={onChanged}
          />
        )}
      </div>
      {form && (
        <ExceptionForm
          exception={form.exception}
          date={form.date}
          owners={owners}
          owner={division}
          onClose={() => setForm(undefined)}
          onSaved={onChanged}
        />
      )}
      {isImporting && (
        <ImportHolidays division={division} onClose={() => setIsImporting(false)} onImported={onChanged} />
      )}
      <Confirm
        opened={doomed !== undefined}
        onClose={() => setDoomed(undefined)}
        title={t('exceptions.deleteTitle', { name: doomed?.name })}
        action={t('exceptions.deleteAction')}
        danger
        onConfirm={async () => {
          const { error: problem } = await remove({ id: doomed!.id });
          if (problem) return problem;
          notify.done(t('exceptions.deleted', { name: doomed!.name }));
          onChanged();
          return undefined;
        }}
      >
        <Text>
          {doomed &&
            t(doomed.yearly ? 'exceptions.deleteYearly' : 'exceptions.deleteText', {
              dates: datesText(
                comingOccurrence(doomed, today) ?? [doomed.startDate, doomed.endDate],
                localeOf(i18n.language),
              ),
            })}
        </Text>
      </Confirm>
    </Stack>
  );
}
