/** What can be done to a day as a whole: copied to others, opened all day, cleared. */
import { ActionIcon, Button, Checkbox, Group, Menu, Popover, Stack, Text } from '@mantine/core';
import { IconClock24, IconCopy, IconDots, IconEraser } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { weekdayName } from './clock-text.ts';
import { copyDay, DAY, newKey, WEEKDAYS, type Week } from './draft.ts';

interface Props {
  day: number;
  edit(change: (week: Week) => Week): void;
}

const WORKDAYS = [1, 2, 3, 4, 5];

export function DayMenu({ day, edit }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const [isCopying, setIsCopying] = useState(false);
  const name = weekdayName(day, localeOf(i18n.language));
  const without = (week: Week) => week.filter((stretch) => stretch.day !== day);
  return (
    <Popover
      opened={isCopying}
      onDismiss={() => setIsCopying(false)}
      trapFocus
      returnFocus
      withArrow
      shadow="lg"
      position="bottom-end"
      withRoles={false}
    >
      <Popover.Target>
        <div>
          <Menu position="bottom-end" shadow="md">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('moreOf', { day: name })}>
                <IconDots size={18} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => setIsCopying(true)}>
                {t('copy.action')}
              </Menu.Item>
              <Menu.Item
                leftSection={<IconClock24 size={16} aria-hidden />}
                onClick={() =>
                  edit((week) => [...without(week), { key: newKey(), day, start: 0, end: DAY, isActive: true }])
                }
              >
                {t('openAllDay')}
              </Menu.Item>
              <Menu.Item leftSection={<IconEraser size={16} aria-hidden />} onClick={() => edit(without)}>
                {t('clear')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </div>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={t('copy.title', { day: name })}>
        {isCopying && (
          <CopyForm
            day={day}
            onCopy={(to) => {
              setIsCopying(false);
              edit((week) => copyDay(week, day, to));
            }}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function CopyForm({ day, onCopy }: { day: number; onCopy(to: number[]): void }) {
  const { t, i18n } = useTranslation('working-hours');
  const [to, setTo] = useState<number[]>([]);
  const others = WEEKDAYS.filter((other) => other !== day);
  return (
    <Stack gap="sm">
      <Text fw={600} size="sm">
        {t('copy.title', { day: weekdayName(day, localeOf(i18n.language)) })}
      </Text>
      <Group gap="xs">
        <Button size="compact-xs" variant="light" onClick={() => setTo(WORKDAYS.filter((other) => other !== day))}>
          {t('copy.workdays')}
        </Button>
        <Button size="compact-xs" variant="light" onClick={() => setTo([...others])}>
          {t('copy.all')}
        </Button>
      </Group>
      {others.map((other) => (
        <Checkbox
          key={other}
          label={weekdayName(other, localeOf(i18n.language))}
          checked={to.includes(other)}
          onChange={({ currentTarget: { checked } }) =>
            setTo((chosen) => (checked ? [...chosen, other] : chosen.filter((one) => one !== other)))
          }
        />
      ))}
      <Button size="xs" disabled={to.length === 0} onClick={() => onCopy(to)}>
        {t('copy.do', { count: to.length })}
      </Button>
    </Stack>
  );
}
