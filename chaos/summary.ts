/** What a run says: how far it is, and in the end what was lost. */
import { cpus, platform, release, totalmem } from 'node:os';
import type { Experiment, Tally } from './experiment.ts';

const print = (text: string) => process.stdout.write(text);
/** More of the same would say the same. */
const PRINTED = 10;

const worstOf = ({ worst, counts }: Tally) =>
  [
    ...[...counts].map(([what, times]) => `${what} ${times}`),
    ...[...worst].map(([what, ms]) => `${what} ${ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}`),
  ].join(', ');

/** Says now and then how far an experiment is. */
export function progressOf(name: string, tally: Tally): { end(): void } {
  const began = performance.now();
  const line = () =>
    `${name}: ${tally.done} of ${tally.wanted} trials, ${tally.losses.length} losses, ` +
    `${Math.round((performance.now() - began) / 1000)} s${tally.worst.size + tally.counts.size > 0 ? `; worst: ${worstOf(tally)}` : ''}`;
  const live = process.stdout.isTTY;
  const timer = setInterval(() => print(live ? `\r${line()}\u001b[K` : `${line()}\n`), live ? 500 : 10_000);
  return {
    end() {
      clearInterval(timer);
      print(live ? `\r${line()}\u001b[K\n` : `${line()}\n`);
      for (const loss of tally.losses.slice(0, PRINTED)) print(`  LOST: ${loss}\n`);
      if (tally.losses.length > PRINTED) print(`  and ${tally.losses.length - PRINTED} more\n`);
    },
  };
}

interface Facts {
  seed: number;
  patience: number;
  seconds: number;
}

/** The table at the end. @param results a text says why an experiment was not carried out. */
export function summary(results: readonly [Experiment, Tally | string][], { seed, patience, seconds }: Facts): string {
  const rows = results.map(([{ fault }, result]) =>
    typeof result === 'string'
      ? [fault, '-', '-', `skipped: ${result}`]
      : [fault, `${result.done}`, `${result.losses.length}`, worstOf(result)],
  );
  const tallies = results.map(([, result]) => result).filter((result) => typeof result !== 'string');
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const losses = sum((tally) => tally.losses.length);
  const head = ['fault', 'trials', 'losses', 'worst'];
  const table = [head, head.map(() => ''), ...rows, ['together', `${sum(({ done }) => done)}`, `${losses}`, '']];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row, index) =>
    index === 1
      ? `|${widths.map((width, column) => (column ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|---|`
      : `| ${row[0]!.padEnd(widths[0]!)} | ${row[1]!.padStart(widths[1]!)} | ${row[2]!.padStart(widths[2]!)} | ${row[3]} |`,
  );
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()}, Node ${process.version}`;
  return [
    ...lines,
    '',
    `${losses === 0 ? 'nothing lost' : `${losses} LOSSES`}; seed ${seed}, ${Math.round(seconds)} s${patience > 1 ? `, patience ${patience}` : ''}`,
    `${new Date().toISOString().slice(0, 10)}, ${machine}`,
  ].join('\n');
}
