/** Holidays and special hours in the order in which they come. */
import { ActionIcon, Badge, Button, Group, Paper, Stack, Switch, Text, Title } from '@mantine/core';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { type ExceptionFieldsFragment, OptInDocument, OptOutDocument } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { sentenceOf } from '../../ui/errors.ts';
import { notify } from '../../ui/notify.tsx';
import { comingOccurrence } from './dates.ts';
import { datesText, hoursText } from './exception-text.ts';
import type { Division } from './scope-bar.tsx';

interface Props {
  exceptions: readonly ExceptionFieldsFragment[];
  divisions: readonly Division[];
  /** Whose hours are seen. */
  division?: Division;
  today: string;
  mayChange(exception: ExceptionFieldsFragment): boolean;
  /** Whether the division may be excepted from those of the organization. */
  mayOptOut: boolean;
  onEdit(exception: ExceptionFieldsFragment): void;
  onDelete(exception: ExceptionFieldsFragment): void;
  onChanged(): void;
}

type Item = Pick<Props, 'division' | 'divisions' | 'mayChange' | 'mayOptOut' | 'onEdit' | 'onDelete' | 'onChanged'>;

export function ExceptionList({ exceptions, today, ...item }: Props) {
  const { t } = useTranslation('working-hours');
  const [showsPast, setShowsPast] = useState(false);
  const dated = exceptions.map((exception) => ({ exception, next: comingOccurrence(exception, today) }));
  const coming = dated
    .flatMap(({ exception, next }) => (next ? [{ exception, dates: next }] : []))
    .sort((a, b) => (a.dates[0] < b.dates[0] ? -1 : 1));
  const past = dated
    .flatMap(({ exception, next }) =>
      next ? [] : [{ exception, dates: [exception.startDate, exception.endDate] as const }],
    )
    .sort((a, b) => (a.dates[0] > b.dates[0] ? -1 : 1));
  return (
    <Stack gap="xs" data-testid="exception-list">
      <Title order={2} size="h5">
        {t('exceptions.coming')}
      </Title>
      <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
        {coming.map(({ exception, dates }) => (
          <Exception key={exception.id} exception={exception} dates={dates} {...item} />
        ))}
      </Stack>
      {past.length > 0 && (
        <>
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            aria-expanded={showsPast}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => setShowsPast(!showsPast)}
          >
            {`${t('exceptions.past')} (${past.length})`}
          </Button>
          {showsPast && (
            <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
              {past.map(({ exception, dates }) => (
                <Exception key={exception.id} exception={exception} dates={dates} {...item} />
              ))}
            </Stack>
          )}
        </>
      )}
    </Stack>
  );
}

interface ExceptionProps extends Item {
  exception: ExceptionFieldsFragment;
  dates: readonly [string, string];
}

function Exception({ exception, dates, ...item }: ExceptionProps) {
  const { t, i18n } = useTranslation('working-hours');
  const { name, hours, yearly, divisionId } = exception;
  const { division, divisions } = item;
  const isOut = division !== undefined && exception.optedOutDivisionIds.includes(division.id);
  const owner = divisionId && divisions.find(({ id }) => id === divisionId)?.name;
  return (
    <Paper component="li" withBorder p="sm" radius="md" aria-label={name}>
      <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
        <Stack gap={4} style={{ minWidth: 0 }}>
          <Text fw={600} td={isOut ? 'line-through' : undefined} style={{ overflowWrap: 'anywhere' }}>
            {name}
          </Text>
          <Text size="sm" c="dimmed">
            {datesText(dates, localeOf(i18n.language))}
          </Text>
          <Group gap={6}>
            <Badge color={hours.length ? 'grape' : 'red'} variant="light" tt="none">
              {hoursText(hours, localeOf(i18n.language)) || t('exceptions.closed')}
            </Badge>
            {yearly && (
              <Badge color="gray" variant="light" tt="none">
                {t('exceptions.yearly')}
              </Badge>
            )}
            {owner && (
              <Badge color="blue" variant="light" tt="none">
                {t('exceptions.ofDivision', { name: owner })}
              </Badge>
            )}
            {division && !divisionId && (
              <Badge color="gray" variant="outline" tt="none">
                {t('exceptions.ofOrganization')}
              </Badge>
            )}
          </Group>
        </Stack>
        {item.mayChange(exception) && (
          <Group gap={0} wrap="nowrap">
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t('exceptions.edit', { name })}
              onClick={() => item.onEdit(exception)}
            >
              <IconPencil size={18} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t('exceptions.delete', { name })}
              onClick={() => item.onDelete(exception)}
            >
              <IconTrash size={18} aria-hidden />
            </ActionIcon>
          </Group>
        )}
      </Group>
      {division && !divisionId && <Holds exception={exception} division={division} isOut={isOut} {...item} />}
    </Paper>
  );
}

/** Whether an exception of the organization holds for a division: switched at once, taken back where it fails. */
function Holds({
  exception,
  division,
  isOut,
  mayOptOut,
  onChanged,
}: Item & { exception: ExceptionFieldsFragment; division: Division; isOut: boolean }) {
  const { t } = useTranslation('working-hours');
  const { t: common } = useTranslation();
  const [, optOut] = useMutation(OptOutDocument);
  const [, optIn] = useMutation(OptInDocument);
  const [wanted, setWanted] = useState<boolean>();
  const holds = wanted ?? !isOut;
  const change = async (next: boolean) => {
    setWanted(next);
    const ids = { divisionId: division.id, exceptionId: exception.id };
    const { error } = await (next ? optIn(ids) : optOut(ids));
    setWanted(undefined);
    if (error) notify.failed(sentenceOf(error, common));
    else onChanged();
  };
  return (
    <Switch
      mt="xs"
      size="sm"
      label={t('exceptions.holds', { name: division.name })}
      checked={holds}
      disabled={!mayOptOut}
      onChange={({ currentTarget: { checked } }) => void change(checked)}
    />
  );
}
