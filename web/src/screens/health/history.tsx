/** How long a component took to answer and whether it did, over the last hours; to be looked through stretch by stretch. */
import { Box, Group, Text, Tooltip } from '@mantine/core';
import { type KeyboardEvent, type PointerEvent, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../ui/format.ts';
import classes from './health.module.css';
import { Sparkline } from './sparkline.tsx';
import { outagesOf, type RangeName, type Stretch } from './timeline.ts';

interface HistoryProps {
  name: string;
  range: RangeName;
  /** Absent while it is loading. */
  stretches?: Stretch[];
}

export function History({ name, range, stretches = [] }: HistoryProps) {
  const { t } = useTranslation('health');
  const { time, latency } = useFormats();
  const [at, setAt] = useState<number>();
  const outages = useMemo(() => outagesOf(stretches), [stretches]);
  const tell = ({ from, to, status, latencyMs }: Stretch) =>
    [
      `${time(from)}–${time(to)}`,
      t(`history.${status ?? 'UNKNOWN'}`),
      latencyMs !== undefined && t('ms', { value: latency(latencyMs) }),
    ]
      .filter(Boolean)
      .join(' · ');
  const chosen = at === undefined ? undefined : stretches[at];
  const last = stretches.length - 1;

  const point = ({ currentTarget, clientX }: PointerEvent) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(last, Math.floor(((clientX - left) / width) * stretches.length))));
  };
  const walk = (event: KeyboardEvent) => {
    const here = at ?? last;
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(last, to)));
  };

  return (
    <div>
      <Box
        className={classes.history}
        role="slider"
        aria-readonly
        tabIndex={0}
        aria-label={t('history.label', { name })}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at ?? last)}
        aria-valuetext={stretches.length ? tell(chosen ?? stretches[last]!) : t('history.UNKNOWN')}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setAt(undefined)}
        onFocus={(event) => event.currentTarget.matches(':focus-visible') && setAt((here) => here ?? last)}
        onBlur={() => setAt(undefined)}
        onKeyDown={walk}
      >
        {(!stretches.length || stretches.some(({ latencyMs }) => latencyMs !== undefined)) && (
          <Sparkline values={stretches.map(({ latencyMs }) => latencyMs)} />
        )}
        <div className={classes.strip}>
          {stretches.map(({ from, status }, index) => (
            <span key={from} data-status={status ?? 'UNKNOWN'} data-chosen={index === at || undefined} />
          ))}
        </div>
        {chosen && (
          <Tooltip label={tell(chosen)} opened position="top" transitionProps={{ duration: 0 }}>
            <span className={classes.marker} style={{ left: `${((at! + 0.5) / stretches.length) * 100}%` }} />
          </Tooltip>
        )}
      </Box>
      <Group justify="space-between" gap="xs" mt={4} wrap="nowrap">
        <Text size="xs" c="dimmed">
          {t(`range.ago.${range}`)}
        </Text>
        <Text size="xs" c="dimmed">
          {stretches.length > 0 &&
            (outages === undefined ? t('history.none') : t('history.outages', { count: outages }))}
        </Text>
        <Text size="xs" c="dimmed">
          {t('now')}
        </Text>
      </Group>
    </div>
  );
}
