/** A line of latencies, with holes where there is none; its numbers are told beside it. */
import classes from './health.module.css';

const HEIGHT = 100;

export function Sparkline({ values }: { values: (number | undefined)[] }) {
  const highest = Math.max(1, ...values.map((value) => value ?? 0));
  const runs: { x: number; y: number }[][] = [[]];
  values.forEach((value, x) => {
    if (value === undefined) runs.push([]);
    else runs.at(-1)!.push({ x: x + 0.5, y: HEIGHT - (value / highest) * (HEIGHT - 8) });
  });
  const lines = runs.filter((run) => run.length > 0);
  return (
    <svg
      className={classes.sparkline}
      viewBox={`0 0 ${Math.max(1, values.length)} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      {lines.map((run) => {
        const [start, end] = [run[0]!.x, run.at(-1)!.x];
        const line =
          run.length > 1
            ? run
            : [
                { ...run[0]!, x: start - 0.4 },
                { ...run[0]!, x: start + 0.4 },
              ];
        const path = line.map(({ x, y }) => `${x},${y}`).join(' L');
        return (
          <g key={start}>
            <path className={classes.area} d={`M${start},${HEIGHT} L${path} L${end},${HEIGHT} Z`} />
            <path className={classes.line} d={`M${path}`} />
          </g>
        );
      })}
    </svg>
  );
}
