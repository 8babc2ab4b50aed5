/** The week at a glance, or one day of it: stretches as blocks on the wall clock, which are drawn, moved and resized. */
import { ActionIcon, Badge, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { localeOf } from '../../i18n.ts';
import { Block, type BlockContext } from './block.tsx';
import { clockText, dateText, spanText, weekdayName } from './clock-text.ts';
import {
  addStretch,
  changeStretch,
  DAY,
  endAfter,
  newKey,
  removeStretch,
  roomOn,
  type Stretch,
  secondsOf,
  type Week,
} from './draft.ts';
import { FINE_STEP, keyed, piecesOn, STEP } from './geometry.ts';
import { type Ghost, useDrag } from './use-drag.ts';
import classes from './week-grid.module.css';

/** The exception that counts on a day. */
export interface DayException {
  name: string;
  hours: readonly { startTime: string; endTime: string }[];
}

interface Props {
  week: Week;
  /** The weekdays to show, from left to right. */
  days: readonly number[];
  /** This week's date of each weekday. */
  dates: Record<number, string>;
  exceptions: Record<number, DayException | undefined>;
  now: { date: string; day: number; second: number };
  changed: readonly number[];
  isEditable: boolean;
  problems: ReadonlyMap<string, string>;
  warnings: ReadonlyMap<string, string>;
  edit(change: (week: Week) => Week): void;
  onProblem(field: string, hasOne: boolean): void;
}

const HOURS = Array.from({ length: 25 }, (_, hour) => hour).filter((hour) => hour % 2 === 0);

export function WeekGrid(props: Props) {
  const { week, days, dates, exceptions, now, changed, isEditable, edit } = props;
  const { t, i18n } = useTranslation('working-hours');
  const language = localeOf(i18n.language);
  const layer = useRef<HTMLDivElement>(null);
  const heads = useRef<HTMLDivElement>(null);
  const helpId = useId();
  const [said, say] = useState('');
  const [openKey, setOpenKey] = useState<string>();
  const columns = days.length;

  const told = ({ day, start, end }: Stretch) =>
    t('block', { day: weekdayName(day, language), times: spanText(start, end, language) });
  const set = (stretch: Stretch) => {
    edit((standing) => changeStretch(standing, stretch.key, stretch));
    say(told(stretch));
  };
  const add = (stretch: Stretch) => {
    edit((standing) => addStretch(standing, stretch));
    say(t('added', { what: told(stretch) }));
  };
  const remove = (stretch: Stretch) => {
    setOpenKey(undefined);
    edit((standing) => removeStretch(standing, stretch.key));
    // The keyboard stays on the day: on what is left there, else on what adds to it.
    requestAnimationFrame(() =>
      (
        layer.current?.querySelector<HTMLElement>(`[data-testid="stretch-${stretch.day}"]`) ??
        heads.current?.querySelector<HTMLElement>(`[data-add="${stretch.day}"]`)
      )?.focus(),
    );
    say(t('removed', { what: told(stretch) }));
  };
  const { ghost, begin, beginDrawing } = useDrag({
    layer,
    days,
    onDone: ({ stretch, isNew }: Ghost) => (isNew ? add(stretch) : set({ ...stretch, isActive: true })),
    onPress: ({ key }) => setOpenKey(key),
  });

  const onKey = (event: KeyboardEvent, stretch: Stretch) => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      setOpenKey(stretch.key);
      return;
    }
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      remove(stretch);
      return;
    }
    const step = event.altKey || event.ctrlKey || event.metaKey ? FINE_STEP : STEP;
    const result = keyed(stretch, event.key, { isResizing: event.shiftKey, step });
    if (!result) return;
    event.preventDefault();
    if (days.includes(result.day)) set(result);
  };

  const context: BlockContext = {
    columns,
    isEditable,
    draggedKey: ghost?.stretch.key,
    problems: props.problems,
    warnings: props.warnings,
    helpId,
    openKey,
    onOpen: setOpenKey,
    onGrip: begin,
    onKey,
    onRemove: remove,
    onChange: set,
    onProblem: props.onProblem,
  };
  const shown = ghost
    ? [...week.filter(({ key }) => key !== ghost.stretch.key), { ...ghost.stretch, isActive: true }]
    : week;

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset holds fields of a form
    <div role="group" aria-label={t('grid')} data-testid="week-grid">
      <VisuallyHidden id={helpId}>{t('keys')}</VisuallyHidden>
      <VisuallyHidden aria-live="polite" role="status">
        {said}
      </VisuallyHidden>
      <div
        className={classes.grid}
        data-single={columns === 1 || undefined}
        style={{ ['--columns' as string]: columns }}
      >
        <div className={classes.corner} />
        <div ref={heads} className={classes.heads}>
          {days.map((day) => {
            const exception = exceptions[day];
            const room = isEditable ? roomOn(week, day) : undefined;
            const long = weekdayName(day, language);
            return (
              <div key={day} className={classes.head} data-today={dates[day] === now.date || undefined}>
                {changed.includes(day) && <span className={classes.changed} title={t('changedDay')} />}
                <Text size="xs" c="dimmed" tt="capitalize">
                  {weekdayName(day, language, columns === 1 ? 'long' : 'short')}
                </Text>
                <span className={classes.date}>
                  {dateText(
                    dates[day]!,
                    language,
                    columns === 1 ? { day: 'numeric', month: 'long' } : { day: 'numeric' },
                  )}
                </span>
                {exception && (
                  <Tooltip label={exception.name}>
                    <Badge size="sm" color="grape" variant="light" tt="none" fullWidth mt={4} px={4}>
                      {exception.name}
                    </Badge>
                  </Tooltip>
                )}
                {isEditable && (
                  <ActionIcon
                    size="sm"
                    variant="subtle"
                    color="gray"
                    mt={2}
                    display="block"
                    mx="auto"
                    style={{ visibility: room ? undefined : 'hidden' }}
                    aria-label={t('addOn', { day: long })}
                    data-add={day}
                    onClick={() => room && add({ key: newKey(), day, ...room, isActive: true })}
                  >
                    <IconPlus size={14} aria-hidden style={{ verticalAlign: 'middle' }} />
                  </ActionIcon>
                )}
              </div>
            );
          })}
        </div>
        <div className={classes.hours} aria-hidden>
          {HOURS.map((hour) => (
            <span key={hour} className={classes.hour} style={{ top: `${(hour / 24) * 100}%` }}>
              {clockText(hour * 3600, language)}
            </span>
          ))}
        </div>
        <div
          ref={layer}
          className={classes.layer}
          data-editable={isEditable || undefined}
          data-testid="week-layer"
          onPointerDown={isEditable ? beginDrawing : undefined}
        >
          {days.map((day, column) => (
            <div
              key={day}
              className={classes.column}
              data-today={dates[day] === now.date || undefined}
              style={{ left: `${(column / columns) * 100}%`, width: `${100 / columns}%` }}
            />
          ))}
          {days.flatMap((day, column) => {
            const exception = exceptions[day];
            if (!exception) return [];
            const left = `${(column / columns) * 100}%`;
            const width = `${100 / columns}%`;
            return [
              <div key={`${day} closed`} className={classes.exception} style={{ left, width }} />,
              ...exception.hours.map(({ startTime, endTime }) => {
                const start = secondsOf(startTime);
                const end = Math.min(endAfter(start, secondsOf(endTime)), DAY);
                return (
                  <div
                    key={`${day} ${startTime}`}
                    className={classes.special}
                    style={{
                      left: `calc(${left} + 5px)`,
                      width: `calc(${width} - 10px)`,
                      top: `${(start / DAY) * 100}%`,
                      height: `${((end - start) / DAY) * 100}%`,
                    }}
                  >
                    {spanText(start, end, language)}
                  </div>
                );
              }),
            ];
          })}
          {days.flatMap((day, column) =>
            piecesOn(shown, day).map((piece) => (
              <Block
                key={`${piece.stretch.key} ${piece.isFirst}`}
                piece={piece}
                column={column}
                isDimmed={Boolean(exceptions[piece.stretch.day])}
                context={context}
              />
            )),
          )}
          {days.includes(now.day) && (
            <div
              className={classes.now}
              data-testid="now-line"
              style={{
                left: `${(days.indexOf(now.day) / columns) * 100}%`,
                width: `${100 / columns}%`,
                top: `${(now.second / DAY) * 100}%`,
              }}
            />
          )}
        </div>
      </div>
    </div>
  );
}
