/** One stretch in the grid: pressed, dragged and moved with keys. What lies on the next day is a second piece of it. */
import { Button, Group, Popover, Stack, Text } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import type { KeyboardEvent, PointerEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { clockText, lengthText, spanText, weekdayName } from './clock-text.ts';
import { DAY, type Stretch } from './draft.ts';
import type { Grip, Piece } from './geometry.ts';
import { StretchFields } from './stretch-fields.tsx';
import classes from './week-grid.module.css';

/** What every block of a grid is told. */
export interface BlockContext {
  columns: number;
  isEditable: boolean;
  draggedKey?: string;
  /** What is wrong with a stretch, and what it is warned of. */
  problems: ReadonlyMap<string, string>;
  warnings: ReadonlyMap<string, string>;
  helpId: string;
  openKey?: string;
  onOpen(key: string | undefined): void;
  onGrip(event: PointerEvent, stretch: Stretch, grip: Grip): void;
  onKey(event: KeyboardEvent, stretch: Stretch): void;
  onRemove(stretch: Stretch): void;
  onChange(stretch: Stretch): void;
  onProblem(field: string, hasOne: boolean): void;
}

interface Props {
  piece: Piece;
  column: number;
  isDimmed: boolean;
  context: BlockContext;
}

/** Below this length a block has room for one line only, and below that for none. */
const TWO_LINES = 100 * 60;
const ONE_LINE = 40 * 60;

export function Block({ piece, column, isDimmed, context }: Props) {
  const { t, i18n } = useTranslation('working-hours');
  const { stretch, from, to, isFirst, isLast } = piece;
  const { columns, isEditable } = context;
  const problem = context.problems.get(stretch.key);
  const warning = context.warnings.get(stretch.key);
  const language = localeOf(i18n.language);
  const isAllDay = stretch.start === 0 && stretch.end === DAY;
  const times = isAllDay ? t('allDay') : spanText(stretch.start, stretch.end, language);
  // Over hours that are not in effect one draws as on empty space.
  const isGripped = isEditable && stretch.isActive;
  const look = {
    className: classes.block,
    style: {
      left: `calc(${(column / columns) * 100}% + 3px)`,
      width: `calc(${100 / columns}% - 6px)`,
      top: `${(from / DAY) * 100}%`,
      height: `${((to - from) / DAY) * 100}%`,
    },
    'data-editable': isGripped || undefined,
    'data-dragging': context.draggedKey === stretch.key || undefined,
    'data-problem': problem ? true : undefined,
    'data-warning': warning ? true : undefined,
    'data-idle': !stretch.isActive || undefined,
    'data-dimmed': isDimmed || undefined,
    'data-continues': !isLast || undefined,
    'data-continued': !isFirst || undefined,
    title: problem ?? warning,
    onPointerDown: isGripped ? (event: PointerEvent) => context.onGrip(event, stretch, 'move') : undefined,
  };
  const handle = (edge: 'start' | 'end') =>
    isGripped && (
      <span
        className={classes.handle}
        data-edge={edge}
        onPointerDown={(event) => context.onGrip(event, stretch, edge)}
      />
    );
  if (!isFirst)
    return (
      <div {...look} aria-hidden>
        {to - from >= ONE_LINE && <span className={classes.label}>{`–${clockText(to, language)}`}</span>}
        {handle('end')}
      </div>
    );

  const length = lengthText((stretch.end - stretch.start) * 1000, language, 'narrow');
  const lines = [times, ...(stretch.isActive ? [to - from >= TWO_LINES ? length : ''] : [t('closed')])];
  const name = t('block', { day: weekdayName(stretch.day, language), times });
  const button = (
    <button
      type="button"
      {...look}
      aria-label={[[weekdayName(stretch.day, language), lines.filter(Boolean).join(' ')].join(', '), problem, warning]
        .filter(Boolean)
        .join('. ')}
      aria-describedby={isEditable ? context.helpId : undefined}
      data-testid={`stretch-${stretch.day}`}
      onKeyDown={(event) => isEditable && context.onKey(event, stretch)}
    >
      {handle('start')}
      {to - from >= ONE_LINE && (
        <span className={classes.label}>
          {lines[0]} <span className={classes.length}>{lines[1]}</span>
        </span>
      )}
      {isLast && handle('end')}
    </button>
  );
  if (!isEditable) return button;
  return (
    <Popover
      opened={context.openKey === stretch.key}
      onDismiss={() => context.onOpen(undefined)}
      position="bottom"
      shadow="lg"
      trapFocus
      returnFocus
      withArrow
      withinPortal
    >
      <Popover.Target>{button}</Popover.Target>
      <Popover.Dropdown aria-label={name}>
        <Stack gap="sm">
          <Text fw={600}>{weekdayName(stretch.day, language)}</Text>
          <StretchFields
            stretch={stretch}
            name={weekdayName(stretch.day, language)}
            onChange={(span) => context.onChange({ ...stretch, ...span })}
            onProblem={(field, hasOne) => context.onProblem(`${stretch.key} grid ${field}`, hasOne)}
          />
          {(problem ?? warning) && (
            <Text size="sm" c={problem ? 'red' : 'orange'} maw={260}>
              {problem ?? warning}
            </Text>
          )}
          <Group justify="space-between">
            <Button
              size="xs"
              variant="subtle"
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => context.onRemove(stretch)}
            >
              {t('remove')}
            </Button>
            <Button size="xs" variant="default" onClick={() => context.onOpen(undefined)}>
              {t('done')}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
