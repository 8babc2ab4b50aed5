/** A holiday or special hours, to be added or changed. */
import { ActionIcon, Button, Group, SegmentedControl, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type CombinedError, useMutation } from 'urql';
import { CreateExceptionDocument, type ExceptionFieldsFragment, UpdateExceptionDocument } from '../../documents.gen.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { fieldErrors } from '../../ui/errors.ts';
import { FormEnd } from '../../ui/form-end.tsx';
import { notify } from '../../ui/notify.tsx';
import { DateField } from './date-field.tsx';
import { daysBetween } from './dates.ts';
import { endAfter, newKey, secondsOf, timeOf } from './draft.ts';
import { holidayOverlaps } from './holiday-hours.ts';
import type { Division } from './scope-bar.tsx';
import { StretchFields } from './stretch-fields.tsx';

interface Props {
  /** What is changed; absent: something new. */
  exception?: ExceptionFieldsFragment;
  /** Of something new. */
  date: string;
  /** Whose exceptions the caller may add: undefined is the organization. */
  owners: readonly (Division | undefined)[];
  owner?: Division;
  onClose(): void;
  onSaved(): void;
}

interface Hours {
  key: string;
  start: number;
  end: number;
}

const ORGANIZATION = 'organization';
const MORNING = { start: 9 * 3600, end: 12 * 3600 };

export function ExceptionForm({ exception, date, owners, owner, onClose, onSaved }: Props) {
  const { t } = useTranslation('working-hours');
  const [name, setName] = useState(exception?.name ?? '');
  const [from, setFrom] = useState<string | null>(exception?.startDate ?? date);
  const [to, setTo] = useState<string | null>(exception?.endDate ?? date);
  const [yearly, setYearly] = useState(exception?.yearly ?? false);
  const [whose, setWhose] = useState(owner?.id ?? (owners.includes(undefined) ? ORGANIZATION : owners[0]?.id));
  const [isSpecial, setIsSpecial] = useState((exception?.hours.length ?? 0) > 0);
  const [hours, setHours] = useState<Hours[]>(() =>
    exception?.hours.length
      ? exception.hours.map(({ startTime, endTime }) => {
          const start = secondsOf(startTime);
          return { key: newKey(), start, end: endAfter(start, secondsOf(endTime)) };
        })
      : [{ key: newKey(), ...MORNING }],
  );
  const [badFields, setBadFields] = useState<ReadonlySet<string>>(new Set());
  const [unread, setUnread] = useState({ startDate: false, endDate: false });
  const [wasTried, setWasTried] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<CombinedError>();
  const [, create] = useMutation(CreateExceptionDocument);
  const [, update] = useMutation(UpdateExceptionDocument);

  const told = fieldErrors(error);
  const overlap = isSpecial && holidayOverlaps(hours, from && to ? daysBetween(from, to) + 1 : 1);
  const mistakes = {
    name: name.trim() ? undefined : t('form.nameMissing'),
    startDate: from ? undefined : t('form.dateMissing'),
    endDate: !to ? t('form.dateMissing') : from && to < from ? t('form.endBefore') : undefined,
    hours: overlap ? t('form.overlap') : undefined,
  };
  const isUnread = unread.startDate || unread.endDate;
  const isBad = isUnread || Object.values(mistakes).some(Boolean) || (isSpecial && badFields.size > 0);
  const isToldElsewhere = Boolean(told.name ?? told.startDate ?? told.endDate);

  const save = async () => {
    setWasTried(true);
    if (isBad || !from || !to) return;
    setIsBusy(true);
    const input = {
      name: name.trim(),
      startDate: from,
      endDate: to,
      yearly,
      hours: isSpecial ? hours.map(({ start, end }) => ({ startTime: timeOf(start), endTime: timeOf(end) })) : [],
    };
    const divisionId = whose === ORGANIZATION ? undefined : whose;
    const { error: problem } = exception
      ? await update({ id: exception.id, input })
      : await create({ input: { ...input, divisionId } });
    setIsBusy(false);
    setError(problem);
    if (problem) return;
    notify.done(t('form.saved', { name: input.name }));
    onSaved();
    onClose();
  };

  return (
    <Dialog opened onClose={onClose} title={t(exception ? 'form.edit' : 'form.create')} size="md">
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack gap="md">
          <TextInput
            label={t('form.name')}
            placeholder={t('form.namePlaceholder')}
            data-autofocus
            maxLength={200}
            value={name}
            error={(wasTried && mistakes.name) || told.name}
            onChange={({ currentTarget: { value } }) => setName(value)}
          />
          <Group grow align="flex-start">
            <DateField
              label={t('form.from')}
              value={from}
              error={(wasTried && mistakes.startDate) || told.startDate}
              onChange={(value) => {
                // One day stays one day.
                if (from === to) setTo(value);
                setFrom(value);
              }}
              onProblem={(hasOne) => setUnread((before) => ({ ...before, startDate: hasOne }))}
            />
            <DateField
              label={t('form.to')}
              value={to}
              from={from ?? undefined}
              error={mistakes.endDate && (wasTried || to) ? mistakes.endDate : told.endDate}
              onChange={setTo}
              onProblem={(hasOne) => setUnread((before) => ({ ...before, endDate: hasOne }))}
            />
          </Group>
          <Switch
            label={t('form.yearly')}
            checked={yearly}
            onChange={({ currentTarget: { checked } }) => setYearly(checked)}
          />
          {!exception && owners.length > 1 && (
            <Select
              label={t('form.whom')}
              allowDeselect={false}
              value={whose}
              data={owners.map((one) => ({
                value: one?.id ?? ORGANIZATION,
                label: one?.name ?? t('form.organization'),
              }))}
              onChange={(value) => value && setWhose(value)}
            />
          )}
          <Stack gap={6}>
            <Text size="sm" fw={500} id="exception-kind">
              {t('form.kind')}
            </Text>
            <SegmentedControl
              aria-labelledby="exception-kind"
              value={isSpecial ? 'special' : 'closed'}
              onChange={(value) => setIsSpecial(value === 'special')}
              data={[
                { value: 'closed', label: t('form.closed') },
                { value: 'special', label: t('form.special') },
              ]}
            />
          </Stack>
          {isSpecial && (
            <Stack gap="xs">
              {hours.map((one, index) => (
                <Group key={one.key} gap={6} wrap="nowrap" align="flex-start">
                  <StretchFields
                    stretch={one}
                    name={t('form.hours', { number: index + 1 })}
                    onChange={(span) =>
                      setHours((all) => all.map((other) => (other.key === one.key ? { ...other, ...span } : other)))
                    }
                    onProblem={(field, hasOne) =>
                      setBadFields((before) => {
                        const after = new Set(before);
                        if (hasOne) after.add(`${one.key} ${field}`);
                        else after.delete(`${one.key} ${field}`);
                        return after;
                      })
                    }
                  />
                  {hours.length > 1 && (
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size="lg"
                      aria-label={t('removeOf', { name: t('form.hours', { number: index + 1 }) })}
                      onClick={() => {
                        setHours((all) => all.filter(({ key }) => key !== one.key));
                        setBadFields((bad) => new Set([...bad].filter((field) => !field.startsWith(`${one.key} `))));
                      }}
                    >
                      <IconTrash size={18} aria-hidden />
                    </ActionIcon>
                  )}
                </Group>
              ))}
              {mistakes.hours && (
                <Text size="sm" c="red" role="alert">
                  {mistakes.hours}
                </Text>
              )}
              <Button
                variant="subtle"
                size="compact-sm"
                style={{ alignSelf: 'flex-start' }}
                leftSection={<IconPlus size={16} aria-hidden />}
                onClick={() => setHours((all) => [...all, { key: newKey(), start: 13 * 3600, end: 17 * 3600 }])}
              >
                {t('form.addHours')}
              </Button>
            </Stack>
          )}
          <FormEnd
            problem={isToldElsewhere ? undefined : error}
            submit={t(exception ? 'form.save' : 'form.create_action')}
            busy={isBusy}
            onCancel={onClose}
          />
        </Stack>
      </form>
    </Dialog>
  );
}
