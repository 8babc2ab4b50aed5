/** How a count went, day by day: from zero, so that a slope is as steep as the growth. */
import { AreaChart, type AreaChartProps } from '@mantine/charts';
import { useFormats } from './format.ts';

interface DayChartProps extends Pick<AreaChartProps, 'curveType' | 'withDots' | 'mt'> {
  height: number;
  /** Days such as 2026-11-24, the oldest first; one that lacks the count is a gap. */
  days: ({ day: string } & Record<string, unknown>)[];
  /** The field that is drawn, and what it is called. */
  name: string;
  label: string;
  color: string;
  /** What it shows, for those who do not see it. */
  description: string;
}

export function DayChart({ height, days, name, label, color, description, ...look }: DayChartProps) {
  const { number, compact, day } = useFormats();
  return (
    <div role="img" aria-label={description} ref={passOver}>
      <AreaChart
        h={height}
        data={days}
        dataKey="day"
        series={[{ name, label, color }]}
        connectNulls={false}
        tickLine="none"
        gridAxis="x"
        strokeWidth={2}
        valueFormatter={number}
        areaChartProps={{ accessibilityLayer: false, margin: { top: 12, left: 0, right: 12 } }}
        xAxisProps={{ tickFormatter: day, minTickGap: 20, interval: 'equidistantPreserveStart' }}
        yAxisProps={{ tickFormatter: compact, width: 52, allowDecimals: false, domain: [0, 'auto'] }}
        tooltipProps={{ labelFormatter: (value) => (value ? day(String(value)) : '') }}
        {...look}
      />
    </div>
  );
}

/**
 * React listens on what it draws portals into, and Chromium holds an SVG element that is listened to for one that the Tab key stops
 * at: three or four for each chart, with nothing to be done there.
 */
function passOver(chart: HTMLDivElement | null) {
  if (!chart) return undefined;
  const mend = () => {
    for (const layer of chart.querySelectorAll('g[class^="recharts-zIndex-layer"]:not([tabindex])'))
      layer.setAttribute('tabindex', '-1');
  };
  mend();
  const observer = new MutationObserver(mend);
  observer.observe(chart, { childList: true, subtree: true });
  return () => observer.disconnect();
}
