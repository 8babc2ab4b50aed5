import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Schedule, WeeklyEntry } from '../src/domain/working-hours/schedule.ts';
import { Zone } from '../src/domain/working-hours/zone.ts';
import { type Dependent, impacts, type Pair, runtimeClock } from '../src/domain/zone-data/impact.ts';
import { provision, superAdmin, type Tenant } from './support/actors.ts';
import { JWT_SECRET, startApp, type TestApp } from './support/app.ts';
import { dist, ensureBuilt } from './support/built.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { tzif } from './support/tzif-writer.ts';

const HOUR = 3600;
const at = (text: string) => Date.parse(text);

const workdays = (startTime: string, endTime: string): WeeklyEntry[] =>
  [1, 2, 3, 4, 5].map((dayOfWeek) => ({ dayOfWeek, startTime, endTime, isActive: true }));

describe('what other zone data moves', () => {
  const now = at('2026-11-22T12:00:00Z');
  const schedule: Schedule = { timezone: 'Asia/Jakarta', weekly: workdays('08:00', '16:00'), exceptions: [] };
  const dependent: Dependent = { tenant: 'acme', schedule };
  /** Jakarta with its clock put elsewhere from an instant on. */
  const against = (from: string, hours: number): Map<string, Pair> => {
    const other = new Zone('Asia/Jakarta', (instant) => (instant < at(from) ? 7 : hours) * 3_600_000);
    return new Map([['Asia/Jakarta', { present: runtimeClock('Asia/Jakarta'), other }]]);
  };

  test('nothing, where the zone is the same or the difference is far away', () => {
    expect(impacts([dependent], against('2026-11-22T12:00:00Z', 7), now)).toEqual([]);
    expect(impacts([dependent], against('2028-06-01T00:00:00Z', 8), now)).toEqual([]);
    expect(impacts([dependent], against('1999-01-01T00:00:00Z', 8), now)).not.toEqual([]);
  });

  test('each opening and closing from then on', () => {
    // A Saturday; 400 days end on 2027-12-27.
    const [impact, ...others] = impacts([dependent], against('2027-12-18T00:00:00Z', 8), now);
    expect(others).toEqual([]);
    expect(impact).toEqual({
      dependent,
      // Five days, and Monday the 27th up to 12:00 UTC.
      moved: 12,
      first: { isOpen: true, from: at('2027-12-20T01:00:00Z'), to: at('2027-12-20T00:00:00Z') },
    });
  });

  test('a change that has passed under one of the two is among them', () => {
    // Monday's opening at 08:00: 01:00 by the present data, 00:00 by the other.
    const monday = at('2026-11-23T00:30:00Z');
    expect(impacts([dependent], against('2020-01-01T00:00:00Z', 8), monday)[0]?.first).toEqual({
      isOpen: true,
      from: at('2026-11-23T01:00:00Z'),
      to: at('2026-11-23T00:00:00Z'),
    });
  });

  test('a change that falls away, or is new', () => {
    const weekly = [{ dayOfWeek: 0, startTime: '02:15', endTime: '02:45', isActive: true }];
    const short = { tenant: 'acme', schedule: { ...schedule, timezone: 'Europe/Berlin', weekly } };
    const present = runtimeClock('Europe/Berlin');
    // In Berlin the hour from two to three is skipped on 2027-03-28. This one stays at winter time.
    const other = new Zone('Europe/Berlin', () => 3_600_000);
    const [impact] = impacts([short], new Map([['Europe/Berlin', { present, other }]]), at('2027-03-25T00:00:00Z'));
    expect(impact?.first).toEqual({ isOpen: true, to: at('2027-03-28T01:15:00Z') });
    const [back] = impacts(
      [short],
      new Map([['Europe/Berlin', { present: other, other: present }]]),
      at('2027-03-25T00:00:00Z'),
    );
    expect(back?.first).toEqual({ isOpen: true, from: at('2027-03-28T01:15:00Z') });
  });

  test('many schedules of zones that do not differ cost next to nothing', () => {
    const many = Array.from({ length: 5000 }, (_, n) => ({ ...dependent, tenant: `tenant-${n}` }));
    const began = performance.now();
    expect(impacts(many, against('2030-01-01T00:00:00Z', 8), now)).toEqual([]);
    process.stdout.write(
      `    measured: 5000 schedules without a difference ${Math.round(performance.now() - began)} ms\n`,
    );
    const some = many.slice(0, 100);
    const start = performance.now();
    expect(impacts(some, against('2026-12-01T00:00:00Z', 8), now)).toHaveLength(100);
    process.stdout.write(`    measured: 100 schedules with one ${Math.round(performance.now() - start)} ms\n`);
  });
});

describe('npm run doctor', () => {
  let app: TestApp;
  let tenants: Tenant[];
  let folder: string;

  beforeAll(async () => {
    ensureBuilt();
    app = await startApp();
    const admin = await superAdmin(app);
    tenants = await Promise.all([provision(admin), provision(admin), provision(admin)]);
    const zones = ['Asia/Jakarta', 'CET', 'Pacific/Chatham'];
    for (const [index, { id }] of tenants.entries()) {
      await app.services.tenants.work(id, (em) =>
        em.execute("update settings set value = ? where key = 'timezone'; select record_schedule(null)", [
          zones[index],
        ]),
      );
    }
    const [first] = tenants as [Tenant];
    await app.services.tenants.work(first.id, (em) =>
      em.execute(`insert into divisions (id, name, timezone, created_at, updated_at)
                    values ('01900000-0000-7000-8000-000000000001', 'Tokyo desk', 'Asia/Tokyo', now(), now());
                  select record_schedule('01900000-0000-7000-8000-000000000001')`),
    );
    folder = await temporaryFolder();
    await mkdir(join(folder, 'Asia'));
    await writeFile(join(folder, 'tzdata.zi'), '# version 2031x\n# This zic input file is in the public domain.\n');
    // The clock is put forward on a Sunday in the next year.
    const year = new Date().getUTCFullYear() + 1;
    await writeFile(join(folder, 'Asia', 'Jakarta'), tzif({ footer: 'WIB-7' }));
    const times = [Date.UTC(year, 0, 3) / 1000];
    await writeFile(join(folder, 'Asia', 'Tokyo'), tzif({ times, kinds: [1], types: [9 * HOUR, 10 * HOUR] }));
    await writeFile(join(folder, 'CET'), 'TZif');
  });
  afterAll(async () => {
    await app.stop();
    await cleanUp();
  });

  const doctor = async (...args: string[]) => {
    const env = { PATH: process.env.PATH, DATABASE_URL: app.databaseUrl, JWT_SECRET };
    const run = promisify(execFile)(process.execPath, [join(dist, 'doctor.js'), ...args], { env });
    const { code, stdout, stderr } = await run.then(
      (output) => ({ code: 0, ...output }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    return { code, lines: stdout.trimEnd().split('\n'), stderr };
  };

  test('says which zone data is in use, and where PostgreSQL sees a zone otherwise', async () => {
    const { code, lines } = await doctor();
    expect(code).toBe(0);
    expect(lines).toContain(`note: zone data ${process.versions.tz} (Node ${process.versions.node})`);
    // To PostgreSQL CET is an abbreviation, an hour ahead all year round.
    const [cet] = lines.filter((line) => line.includes('zone CET'));
    expect(cet).toMatch(
      /^note: zone CET: PostgreSQL's zone data differs from \d{4}-\d\d-\d\dT\d\d:\d\d:00Z on: its clock is at \+01:00, the runtime's at \+02:00;/,
    );
    expect(lines.join('\n')).not.toMatch(/zone (Asia|Pacific)/);
  });

  test('given a folder of zone data, says what moves, and what cannot be said', async () => {
    const { code, lines } = await doctor('--zone-data', folder);
    expect(code).toBe(0);
    const text = lines.join('\n');
    expect(text).toContain(
      `note: zone data 2031x in ${folder}: of 4 schedules in 4 zones, the coming changes of 1 move`,
    );
    expect(text).toContain(`note: zone CET: ${folder} has a file of it that cannot be read: it is cut off`);
    expect(text).toContain(`note: zone Pacific/Chatham: ${folder} does not have it`);
    const moved = lines.filter((line) => line.includes('move, the first'));
    expect(moved).toHaveLength(1);
    expect(moved[0]).toMatch(
      new RegExp(
        `^note: tenant ${tenants[0]!.slug}, division Tokyo desk \\(Asia/Tokyo\\): \\d{2,3} coming changes move, the first ` +
          'opens \\d{4}-\\d\\d-\\d\\dT\\d\\d:00:00Z \\((.{11})(.{8})\\+09:00\\) -> .{20} \\(\\1\\2\\+10:00\\)$',
      ),
    );
    expect(lines.at(-1)).toMatch(/^nothing wrong/);
  });

  test('a command line that cannot be used', async () => {
    expect(await doctor('--zone-data', join(folder, 'none'))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/none is no folder\.\nUse: npm run doctor/),
    });
    expect(await doctor('--zone-date=x')).toMatchObject({ code: 2, stderr: expect.stringContaining('Use: npm run') });
  });
});
