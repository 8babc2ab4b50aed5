/** Which zone data is in use, where PostgreSQL's differs from it, and what another version would move. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { type WallClock, Zone } from './working-hours/zone.ts';
import { type Dependent, type Impact, impacts, type Pair, runtimeClock } from './zone-data/impact.ts';
import { readTzif, TzifError } from './zone-data/tzif.ts';

const DAY_MS = 86_400_000;
/** How far PostgreSQL's zones are held against the runtime's. */
const DAYS_AHEAD = 730;
const LARGEST_FILE = 1_000_000;
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** @param folder of other, compiled zone data. @returns notes: nothing of it is wrong. */
export async function zoneNotes(
  client: pg.ClientBase,
  dependents: readonly Dependent[],
  folder: string | undefined,
  now = Date.now(),
): Promise<string[]> {
  const zones = [...new Set(dependents.map(({ schedule }) => schedule.timezone))].sort();
  const { tz, node } = process.versions;
  return [
    `zone data ${tz} (Node ${node})`,
    ...(await postgresNotes(client, zones, now)),
    ...(folder === undefined ? [] : await folderNotes(folder, dependents, zones, now)),
  ];
}

/** The first of these instants at which PostgreSQL's clock of a zone is not as far ahead as given; all in seconds. */
const DIFFERENCE = `
  select i as instant, ahead::float8 from (
    select i, expected, extract(epoch from (to_timestamp(i) at time zone $1) - (to_timestamp(i) at time zone 'UTC')) as ahead
      from unnest($2::float8[], $3::float8[]) as given (i, expected)) asked
   where ahead <> expected order by i limit 1`;

/** Months of usage are counted by PostgreSQL's zone data. */
async function postgresNotes(client: pg.ClientBase, zones: readonly string[], now: number): Promise<string[]> {
  const notes: string[] = [];
  for (const name of zones) {
    try {
      const found = await firstDifference(client, name, now);
      if (!found) continue;
      const [theirs, ours] = [found.ahead, runtimeClock(name).offset(found.at)];
      notes.push(
        `zone ${name}: PostgreSQL's zone data differs from ${utc(found.at)} on: its clock is at ${ahead(theirs)}, the ` +
          `runtime's at ${ahead(ours)}; months of usage are counted by PostgreSQL's, working hours by the runtime's`,
      );
    } catch (error) {
      // Invalid parameter value.
      if ((error as { code?: string }).code !== '22023') throw error;
      notes.push(`zone ${name}: PostgreSQL does not know it, and cannot count its months`);
    }
  }
  return notes;
}

async function firstDifference(client: pg.ClientBase, name: string, now: number) {
  const clock = runtimeClock(name);
  const ask = async (instants: number[]) => {
    const values = [name, instants.map((at) => at / 1000), instants.map((at) => clock.offset(at) / 1000)];
    const { rows } = await client.query<{ instant: number; ahead: number }>(DIFFERENCE, values);
    return rows[0] && { at: rows[0].instant * 1000, ahead: rows[0].ahead * 1000 };
  };
  const begin = Math.floor(now / 60_000) * 60_000;
  const until = begin + DAYS_AHEAD * DAY_MS;
  const instants = Array.from({ length: DAYS_AHEAD }, (_, day) => begin + day * DAY_MS);
  for (let set = clock.nextSetting(begin, until); set !== undefined; set = clock.nextSetting(set, until)) {
    instants.push(set - 1000, set);
  }
  const rough = await ask(instants);
  if (!rough || rough.at === begin) return rough;
  // Zones are set on the minute.
  return (await ask(Array.from({ length: DAY_MS / 60_000 }, (_, minute) => rough.at - minute * 60_000))) ?? rough;
}

async function folderNotes(folder: string, dependents: readonly Dependent[], zones: readonly string[], now: number) {
  const pairs = new Map<string, Pair>();
  const lacking: string[] = [];
  for (const name of zones) {
    const other = await readZone(folder, name);
    if (typeof other === 'string') lacking.push(`zone ${name}: ${folder} ${other}; nothing can be said of it`);
    else pairs.set(name, { present: runtimeClock(name), other });
  }
  const found = impacts(dependents, pairs, now);
  const data = `zone data ${await versionIn(folder)} in ${folder}`;
  return [
    `${data}: of ${dependents.length} schedules in ${zones.length} zones, the coming changes of ${found.length} move`,
    ...lacking,
    ...found.map((impact) => describe(impact, pairs.get(impact.dependent.schedule.timezone)!)),
  ];
}

/** @returns what keeps it from being used, as it is to be said, where it cannot be. */
async function readZone(folder: string, name: string): Promise<WallClock | string> {
  if (!NAME.test(name)) return 'cannot have it';
  const path = join(folder, ...name.split('/'));
  const file = await stat(path).catch(() => undefined);
  if (!file?.isFile()) return 'does not have it';
  if (file.size > LARGEST_FILE) return 'has too large a file of it';
  try {
    return new Zone(name, readTzif(await readFile(path)));
  } catch (error) {
    if (error instanceof TzifError) return `has a file of it that cannot be read: ${error.message}`;
    throw error;
  }
}

async function versionIn(folder: string): Promise<string> {
  const text = (name: string) => readFile(join(folder, name), 'latin1').catch(() => '');
  const version = /^# version (\S+)/.exec(await text('tzdata.zi'))?.[1] ?? (await text('+VERSION')).trim();
  return /^[\w.-]{1,40}$/.test(version) ? version : 'of unknown version';
}

function describe(
  { dependent: { tenant, division, schedule }, moved, first }: Impact,
  { present, other }: Pair,
): string {
  const whose = `tenant ${tenant}${division === undefined ? '' : `, division ${division}`} (${schedule.timezone})`;
  const what = first.isOpen ? 'opens' : 'closes';
  const from = first.from === undefined ? 'not at all' : both(first.from, present);
  const to = first.to === undefined ? 'not at all' : both(first.to, other);
  return `${whose}: ${moved} coming ${moved === 1 ? 'change moves' : 'changes move'}, the first ${what} ${from} -> ${to}`;
}

const both = (at: number, clock: WallClock) => `${utc(at)} (${local(at, clock.offset(at))})`;

const utc = (at: number) => new Date(at).toISOString().replace('.000', '');

const local = (at: number, offset: number) => utc(at + offset).replace('Z', ahead(offset));

/** `+07:00` */
function ahead(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((number) => String(number).padStart(2, '0'));
  return `${offset < 0 ? '-' : '+'}${hours}:${rest}`;
}
