/** Where a profile of V8 says that the time went: by package or file, and by function. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { columns } from './print.ts';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** Of the machine's monotonic clock, in microseconds. */
  startTime: number;
  /** Microseconds between samples. */
  timeDeltas: number[];
}

/** Between two samples, which are a millisecond apart where the process runs. */
const LONGEST_US = 5000;
/** Rows of each table. */
const MOST = 20;

/**
 * @param folder that Node wrote its profile to.
 * @param since what came before is left out; of the monotonic clock, in microseconds.
 */
export function profileText(folder: string, since: number): string {
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (!file) return `  There is no profile in ${folder}.`;
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const places = new Map<string, number>();
  const functions = new Map<string, number>();
  let busy = 0;
  let now = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const { functionName, url, lineNumber } = frames.get(id)!;
    const us = profile.timeDeltas[index]!;
    now += us;
    if (now < since || functionName === '(idle)') continue;
    // What is longer was spent stopped, while others had their turn.
    const ran = Math.min(us, LONGEST_US);
    const place = placeOf(url) || functionName;
    const name = `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`;
    busy += ran;
    places.set(place, (places.get(place) ?? 0) + ran);
    functions.set(name, (functions.get(name) ?? 0) + ran);
  }
  const shares = (of: Map<string, number>) =>
    [...of]
      .sort(([, a], [, b]) => b - a)
      .slice(0, MOST)
      .map(([name, us]) => [name, `${((100 * us) / busy).toFixed(1)} %`]);
  return [
    `  Of the gateway's time that was not idle, from its first request on (${join(folder, file)}):`,
    columns(shares(places)),
    columns(shares(functions)),
  ].join('\n\n');
}

/** The package, or the product's own file. */
function placeOf(url: string): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  return inPackage?.[1] ?? /\/(?:dist|bench)\/.*/.exec(url)?.[0] ?? url;
}
