/** Whose hours are seen: the organization's or a division's, and whether the division has hours of its own. */
import { Alert, Badge, Button, Group, Text } from '@mantine/core';
import { IconBuilding, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { RemoveDivisionWeekDocument } from '../../documents.gen.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { notify } from '../../ui/notify.tsx';
import { SearchSelect } from '../../ui/search-select.tsx';
import type { Schedule } from './use-schedule.ts';

export interface Division {
  id: string;
  name: string;
  timezone: string | null;
}

const ORGANIZATION = 'organization';

interface PickerProps {
  divisions: readonly Division[];
  divisionId?: string;
  onPick(divisionId: string | undefined): void;
}

export function ScopePicker({ divisions, divisionId, onPick }: PickerProps) {
  const { t } = useTranslation('working-hours');
  return (
    <SearchSelect
      aria-label={t('scope.label')}
      leftSection={<IconBuilding size={18} aria-hidden />}
      w={{ base: '100%', xs: 260 }}
      searchable={divisions.length > 8}
      value={divisionId ?? ORGANIZATION}
      data={[
        { value: ORGANIZATION, label: t('scope.organization') },
        ...(divisions.length
          ? [{ group: t('scope.divisions'), items: divisions.map(({ id, name }) => ({ value: id, label: name })) }]
          : []),
      ]}
      onChange={(value) => onPick(value === ORGANIZATION || !value ? undefined : value)}
    />
  );
}

interface OwnHoursProps {
  division: Division;
  schedule: Schedule;
  mayChange: boolean;
}

/** Says whether a division follows the organization, and lets it begin or stop to have hours of its own. */
export function OwnHours({ division, schedule, mayChange }: OwnHoursProps) {
  const { t } = useTranslation('working-hours');
  const [isAsking, setIsAsking] = useState(false);
  const [, remove] = useMutation(RemoveDivisionWeekDocument);
  const { name } = division;
  if (schedule.isOverride)
    return (
      <Group gap="sm">
        <Badge variant="light" tt="none" size="lg">
          {t('scope.own')}
        </Badge>
        {mayChange && (
          <Button variant="subtle" color="red" size="compact-sm" onClick={() => setIsAsking(true)}>
            {t('scope.removeOwn')}
          </Button>
        )}
        <Confirm
          opened={isAsking}
          onClose={() => setIsAsking(false)}
          title={t('scope.removeTitle', { name })}
          action={t('scope.removeOwn')}
          danger
          onConfirm={async () => {
            const { error } = await remove({ divisionId: division.id });
            if (error) return error;
            schedule.discard();
            schedule.reload();
            notify.done(t('scope.removedOwn', { name }));
            return undefined;
          }}
        >
          <Text>{t('scope.removeText', { name })}</Text>
        </Confirm>
      </Group>
    );
  return (
    <Alert
      variant="light"
      color={schedule.isAdopting ? 'orange' : 'gray'}
      icon={<IconInfoCircle aria-hidden />}
      title={t(schedule.isAdopting ? 'scope.adopting' : 'scope.follows', { name })}
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm">{t(schedule.isAdopting ? 'scope.adoptingText' : 'scope.followsText', { name })}</Text>
        {mayChange && !schedule.isAdopting && (
          <Button size="xs" onClick={schedule.adopt}>
            {t('scope.giveOwn')}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
