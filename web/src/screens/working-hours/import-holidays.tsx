/** Holidays out of a calendar file: first what would happen, then it happens. */
import { Alert, Badge, Button, FileInput, Group, ScrollArea, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconFileImport } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useClient, useMutation } from 'urql';
import { HolidayPreviewDocument, type HolidayPreviewQuery, ImportHolidaysDocument } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { sentenceOf } from '../../ui/errors.ts';
import { notify } from '../../ui/notify.tsx';
import { datesText } from './exception-text.ts';
import type { Division } from './scope-bar.tsx';
import { SkippedEvents } from './skipped-events.tsx';

interface Props {
  division?: Division;
  onClose(): void;
  onImported(): void;
}

type Plan = HolidayPreviewQuery['holidayImportPreview'];
type Holiday = Plan['holidays'][number];

const COLORS = { NEW: 'teal', STANDS: 'gray', MEETS: 'orange' } as const;

export function ImportHolidays({ division, onClose, onImported }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const { t: common } = useTranslation();
  const client = useClient();
  const [, importAll] = useMutation(ImportHolidaysDocument);
  const [calendar, setCalendar] = useState<string>();
  const [plan, setPlan] = useState<Plan>();
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<CombinedError>();
  const [isUnreadable, setIsUnreadable] = useState(false);

  const look = async (file: File | null) => {
    setPlan(undefined);
    setError(undefined);
    setIsUnreadable(false);
    const content = await file?.text().catch(() => undefined);
    // Such as a picture: no text.
    const text = content?.includes('\0') ? undefined : content;
    setCalendar(text);
    setIsUnreadable(file !== null && !text);
    if (!text) return;
    setIsBusy(true);
    const result = await client
      .query(HolidayPreviewDocument, { calendar: text, divisionId: division?.id }, { requestPolicy: 'network-only' })
      .toPromise();
    setIsBusy(false);
    setError(result.error);
    setPlan(result.data?.holidayImportPreview);
  };
  const count = plan?.holidays.filter(({ state }) => state === 'NEW').length ?? 0;
  const run = async () => {
    if (!calendar) return;
    setIsBusy(true);
    const { error: problem } = await importAll({ calendar, divisionId: division?.id });
    setIsBusy(false);
    setError(problem);
    if (problem) return;
    notify.done(t('import.done', { count }));
    onImported();
    onClose();
  };

  return (
    <Dialog opened onClose={onClose} title={t('import.title')} size="lg">
      <Stack gap="md">
        <Text size="sm">{t('import.text')}</Text>
        <Text size="sm" fw={600}>
          {division ? t('import.forWhom', { name: division.name }) : t('import.forOrganization')}
        </Text>
        <FileInput
          label={t('import.file')}
          placeholder={t('import.choose')}
          accept=".ics,text/calendar"
          leftSection={<IconFileImport size={18} aria-hidden />}
          clearable
          clearButtonProps={{ 'aria-label': t('import.clear') }}
          error={isUnreadable ? t('import.unreadable') : undefined}
          onChange={(file) => void look(file)}
          data-testid="holiday-file"
        />
        {isBusy && !plan && <Skeleton height={160} aria-busy />}
        {error && (
          <Alert color="red" role="alert">
            {sentenceOf(error, common)}
          </Alert>
        )}
        {plan && (
          <>
            {count === 0 && <Alert color="gray">{t('import.nothing')}</Alert>}
            {plan.holidays.length > 0 && (
              <ScrollArea.Autosize mah={320} type="auto" viewportProps={{ tabIndex: 0 }}>
                <Table verticalSpacing={6} data-testid="holiday-plan">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>{t('import.holiday')}</Table.Th>
                      <Table.Th>{t('import.date')}</Table.Th>
                      <Table.Th>{t('import.what')}</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {plan.holidays.map((holiday) => (
                      <PlanRow
                        key={`${holiday.name} ${holiday.startDate}`}
                        holiday={holiday}
                        language={localeOf(i18n.language)}
                      />
                    ))}
                  </Table.Tbody>
                </Table>
              </ScrollArea.Autosize>
            )}
            {plan.skipped.length > 0 && <SkippedEvents events={plan.skipped} language={localeOf(i18n.language)} />}
          </>
        )}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {t('import.cancel')}
          </Button>
          <Button disabled={count === 0} loading={isBusy && plan !== undefined} onClick={() => void run()}>
            {t('import.do', { count })}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function PlanRow({ holiday, language }: { holiday: Holiday; language: string }) {
  const { t } = useTranslation('working-hours');
  const { name, startDate, endDate, yearly, state, inTheWay } = holiday;
  return (
    <Table.Tr data-state={state}>
      <Table.Td>{name}</Table.Td>
      <Table.Td>
        {datesText([startDate, endDate], language)}
        {yearly && (
          <Text size="xs" c="dimmed">
            {t('exceptions.yearly')}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Badge
          color={COLORS[state]}
          variant="light"
          tt="none"
          h="auto"
          styles={{ label: { whiteSpace: 'normal', overflow: 'visible' } }}
        >
          {t(`import.${state}`, { other: inTheWay })}
        </Badge>
      </Table.Td>
    </Table.Tr>
  );
}
