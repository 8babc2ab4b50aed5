/** The organization's time zone (seed: Working Hours). */
import { nowDate } from '../clock.ts';
import type { Context } from '../context.ts';
import { query } from '../db/control.ts';
import { Setting } from '../entities/tenant/setting.ts';
import { databaseError, invalid, notFound } from '../errors.ts';
import { tenantAudit } from './audit.ts';
import { editSchedule } from './schedule-edits.ts';

const KEY = 'timezone';

export interface SettingRow {
  key: string;
  value: string;
  updatedAt: string | Date;
}

const setting = query<SettingRow>(
  'setting',
  'select key, value, updated_at as "updatedAt" from settings where key = $1',
);

export async function timeZoneSetting(ctx: Context): Promise<SettingRow> {
  const [row] = await ctx.tenantRows(setting, [KEY]);
  if (!row) throw notFound('setting');
  return row;
}

/** @throws {AppError} validation_failed when PostgreSQL, which counts months by it, has no such zone. */
export function updateTimeZone(ctx: Context, timezone: string): Promise<SettingRow> {
  return editSchedule(ctx, async (em, touch) => {
    const row =
      (await em.findOne(Setting, { key: KEY })) ?? em.create(Setting, { key: KEY, value: '', updatedAt: nowDate() });
    if (row.value === timezone) return row;
    await em.execute('select now() at time zone ?', [timezone]).catch((error: unknown) => {
      // invalid_parameter_value
      if (databaseError(error)?.code !== '22023') throw error;
      throw invalid('timezone', 'is not known to the database server yet');
    });
    tenantAudit(em, ctx, {
      action: 'timezone.update',
      target: { type: 'setting', id: KEY },
      before: { timezone: row.value },
      after: { timezone },
    });
    row.value = timezone;
    touch(null);
    await em.flush();
    return row;
  });
}
