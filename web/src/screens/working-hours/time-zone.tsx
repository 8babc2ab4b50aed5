/** Choosing the time zone: of the organization, or one that a division has for itself. */
import { Alert, Group, Stack, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { SaveDivisionTimezoneDocument, SaveTimezoneDocument } from '../../documents.gen.ts';
import { localeOf } from '../../i18n.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { notify } from '../../ui/notify.tsx';
import { useNow } from '../../ui/now.ts';
import { SearchSelect } from '../../ui/search-select.tsx';
import { clockAt, offsetText } from './clock-text.ts';
import type { Division } from './scope-bar.tsx';

interface Props {
  opened: boolean;
  onClose(): void;
  /** What counts now. */
  zone: string;
  division?: Division;
  onSaved(): void;
}

const AS_ORGANIZATION = 'organization';

/** Links such as Asia/Calcutta are not listed, but may be what stands. */
const zonesWith = (zone: string): string[] => [...new Set(['UTC', zone, ...Intl.supportedValuesOf('timeZone')])];

const plain = (text: string) => text.toLowerCase().replaceAll(/[_/]/g, ' ');

export function TimeZoneDialog({ opened, onClose, zone, division, onSaved }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const now = new Date(useNow(15_000));
  const standing = division ? (division.timezone ?? AS_ORGANIZATION) : zone;
  const [picked, setPicked] = useState<string>();
  const [, saveOrganization] = useMutation(SaveTimezoneDocument);
  const [, saveDivision] = useMutation(SaveDivisionTimezoneDocument);
  const chosen = picked ?? standing;
  const zones = useMemo(() => zonesWith(zone), [zone]);
  const place = (name: string) => name.replaceAll('_', ' ');
  const close = () => {
    setPicked(undefined);
    onClose();
  };
  const facts = (name: string) =>
    name === AS_ORGANIZATION ? '' : `${offsetText(name, now)} · ${clockAt(now, name, localeOf(i18n.language))}`;
  return (
    <Confirm
      opened={opened}
      onClose={close}
      title={division ? t('zone.ofDivision', { name: division.name }) : t('zone.title')}
      action={t('zone.save')}
      onConfirm={async () => {
        if (chosen === standing) return undefined;
        const { error } = division
          ? await saveDivision({ id: division.id, timezone: chosen === AS_ORGANIZATION ? null : chosen })
          : await saveOrganization({ timezone: chosen });
        if (error) return error;
        notify.done(t('zone.saved'));
        onSaved();
        return undefined;
      }}
    >
      <Stack gap="md">
        <SearchSelect
          label={t('zone.label')}
          nothingFoundMessage={t('zone.none')}
          maxDropdownHeight={280}
          comboboxProps={{ withinPortal: true }}
          limit={60}
          value={chosen}
          data={[
            ...(division ? [{ value: AS_ORGANIZATION, label: t('zone.asOrganization') }] : []),
            ...zones.map((name) => ({ value: name, label: place(name) })),
          ]}
          filter={({ options, search, limit }) =>
            options
              .filter(
                (option) =>
                  'value' in option && plain(`${option.value} ${facts(option.value)}`).includes(plain(search)),
              )
              .slice(0, limit)
          }
          renderOption={({ option }) => (
            <Group justify="space-between" w="100%" gap="xs" wrap="nowrap">
              <span>{option.label}</span>
              <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                {facts(option.value)}
              </Text>
            </Group>
          )}
          // What is typed takes the place of what stands there.
          onClick={({ currentTarget }) => currentTarget.select()}
          onChange={(value) => value && setPicked(value)}
          description={facts(chosen) || undefined}
        />
        <Alert
          variant="light"
          color={chosen === standing ? 'gray' : 'orange'}
          icon={<IconInfoCircle aria-hidden />}
          title={chosen === standing ? undefined : t('zone.willTitle')}
        >
          <Text size="sm">
            {chosen === standing
              ? t('zone.explain')
              : t('zone.will', {
                  from: clockAt(now, zone, localeOf(i18n.language)),
                  to:
                    chosen === AS_ORGANIZATION
                      ? t('zone.ofOrganization')
                      : clockAt(now, chosen, localeOf(i18n.language)),
                  zone: chosen === AS_ORGANIZATION ? t('zone.asOrganization') : place(chosen),
                })}
          </Text>
        </Alert>
      </Stack>
    </Confirm>
  );
}
