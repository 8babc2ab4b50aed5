/** The same draft as a list: each day with its stretches as times that are typed. */
import { ActionIcon, Badge, Button, Group, Paper, Stack, Switch, Text } from '@mantine/core';
import { IconAlertTriangle, IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { lengthText, weekdayName } from './clock-text.ts';
import classes from './day-list.module.css';
import { DayMenu } from './day-menu.tsx';
import {
  addStretch,
  changeStretch,
  dayOf,
  isOpenOn,
  newKey,
  removeStretch,
  roomOn,
  type Stretch,
  setOpen,
  type Week,
} from './draft.ts';
import { StretchFields } from './stretch-fields.tsx';

interface Props {
  week: Week;
  days: readonly number[];
  changed: readonly number[];
  isEditable: boolean;
  problems: ReadonlyMap<string, string>;
  warnings: ReadonlyMap<string, string>;
  edit(change: (week: Week) => Week): void;
  onProblem(field: string, hasOne: boolean): void;
}

export const DayList = ({ days, ...props }: Props) => (
  <Stack gap="xs" data-testid="day-list">
    {days.map((day) => (
      <Day key={day} day={day} {...props} />
    ))}
  </Stack>
);

function Day({ day, week, changed, isEditable, edit, ...rest }: Omit<Props, 'days'> & { day: number }) {
  const { t, i18n } = useTranslation('working-hours');
  const name = weekdayName(day, localeOf(i18n.language));
  const isOpen = isOpenOn(week, day);
  const stretches = dayOf(week, day);
  const room = roomOn(week, day);
  const open = stretches.filter(({ isActive }) => isActive).reduce((sum, { start, end }) => sum + end - start, 0);
  return (
    <Paper withBorder p="sm" radius="md" component="section" aria-label={name} data-testid={`day-${day}`}>
      <div className={classes.day}>
        <Stack gap={4} className={classes.head}>
          <Group gap={8}>
            <Text fw={600} tt="capitalize">
              {name}
            </Text>
            {changed.includes(day) && (
              <Badge size="xs" color="orange" variant="light" tt="none">
                {t('changedDay')}
              </Badge>
            )}
          </Group>
          {isEditable ? (
            <Switch
              size="sm"
              checked={isOpen}
              label={t(isOpen ? 'open' : 'closed')}
              aria-label={t('openOn', { day: name })}
              onChange={({ currentTarget: { checked } }) => edit((standing) => setOpen(standing, day, checked))}
            />
          ) : (
            <Text size="sm" c="dimmed">
              {isOpen ? lengthText(open * 1000, localeOf(i18n.language)) : t('closed')}
            </Text>
          )}
        </Stack>
        <Stack gap="xs" className={classes.stretches}>
          {stretches.map((stretch, index) => (
            <Row
              key={stretch.key}
              stretch={stretch}
              name={stretches.length > 1 ? `${name} ${index + 1}` : name}
              isEditable={isEditable}
              isIdle={!stretch.isActive}
              edit={edit}
              isOpenDay={isOpen}
              {...rest}
            />
          ))}
          {stretches.length === 0 && (
            <Text size="sm" c="dimmed" className={classes.none}>
              {t('noHours')}
            </Text>
          )}
        </Stack>
        {isEditable && (
          <Group gap={4} className={classes.tools}>
            <Button
              size="compact-sm"
              variant="subtle"
              leftSection={<IconPlus size={16} aria-hidden />}
              disabled={!room}
              aria-label={t('addOn', { day: name })}
              data-add
              onClick={() =>
                room && edit((standing) => addStretch(standing, { key: newKey(), day, ...room, isActive: true }))
              }
            >
              {t('add')}
            </Button>
            <DayMenu day={day} edit={edit} />
          </Group>
        )}
      </div>
    </Paper>
  );
}

interface RowProps extends Pick<Props, 'isEditable' | 'problems' | 'warnings' | 'edit' | 'onProblem'> {
  stretch: Stretch;
  name: string;
  isIdle: boolean;
  isOpenDay: boolean;
}

function Row({ stretch, name, isEditable, isIdle, isOpenDay, problems, warnings, edit, onProblem }: RowProps) {
  const { t } = useTranslation('working-hours');
  const { key } = stretch;
  const problem = problems.get(key);
  const warning = warnings.get(key);
  return (
    <div data-idle={isIdle || undefined} className={classes.row}>
      <Group gap={6} wrap="nowrap" align="flex-start">
        <StretchFields
          stretch={stretch}
          readOnly={!isEditable || (isIdle && !isOpenDay)}
          name={name}
          onChange={(span) => edit((week) => changeStretch(week, key, span))}
          onProblem={(field, hasOne) => onProblem(`${key} ${field}`, hasOne)}
        />
        {isIdle && (
          <Badge variant="outline" color="gray" tt="none" mt={isEditable && isOpenDay ? 8 : 0}>
            {t('notInEffect')}
          </Badge>
        )}
        {isEditable && (isOpenDay || !isIdle) && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('removeOf', { name })}
            onClick={({ currentTarget }) => {
              currentTarget.closest('section')?.querySelector<HTMLElement>('[data-add]')?.focus();
              edit((week) => removeStretch(week, key));
            }}
          >
            <IconTrash size={18} aria-hidden />
          </ActionIcon>
        )}
      </Group>
      {(problem ?? warning) && (
        <Text size="sm" className={problem ? classes.problem : classes.warning}>
          <IconAlertTriangle size={14} aria-hidden /> {problem ?? warning}
        </Text>
      )}
    </div>
  );
}
