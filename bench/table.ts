import type { Report } from './proof.ts';

/** For people to read. */
export function table(report: Report): string {
  const { sockets, silent, streams, events, memory, left, broken } = report;
  const readers = sockets - silent;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const perSecond = (count: number, ms: number) => Math.round((1000 * count) / ms);
  const times: [string, string][] = [
    ['connected and told what holds', `${seconds(report.connectMs)}, ${perSecond(sockets, report.connectMs)} a second`],
    ['processor while nothing happens', `${report.idlePercent.toFixed(1)} %`],
    ['first event at a client after', `${Math.round(report.firstEventMs)} ms`],
    ['last event at the last client after', seconds(report.lastEventMs)],
    [
      'to the last client',
      `${perSecond(events, report.lastEventMs)} events a second, ${perSecond(events * readers, report.lastEventMs)} messages`,
    ],
    ['later than the change, p50 and p99', `${Math.round(report.p50Ms)} ms, ${Math.round(report.p99Ms)} ms`],
    ["the gateway's processor time", seconds(report.cpuMs)],
    [`the last of ${silent + streams} silent ones closed after`, seconds(report.silentGoneMs)],
  ];
  const mib = (value: number) => `${Math.round(value)}`.padStart(9);
  const crowds = left.map((one, index) => [`crowd ${index + 1} has left`, one] as const);
  const rows = [...crowds.slice(0, 1), ...Object.entries(memory), ...crowds.slice(1)].map(
    ([when, { resident, heap }]) => [when, `${mib(resident)}${mib(heap)}`] as const,
  );
  const line = ([what, value]: readonly [string, string]) => `  ${what.padEnd(42)}${value}`;
  return [
    `${sockets} sockets, ${silent} of them silent, and ${streams} silent streams; ${events} events, ${readers * events} messages to readers`,
    ...times.map(line),
    line(["the gateway's memory, MiB", ' resident     heap']),
    ...rows.map(line),
    line(['at most', mib(report.peakResident)]),
    ...broken.map((promise) => `BROKEN: ${promise}`),
    broken.length > 0 ? `${broken.length} promises do not hold` : 'every promise holds',
  ].join('\n');
}
