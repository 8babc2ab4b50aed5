/** Hours of a tenant that nothing that is sent may change. */
import { expect } from '@jest/globals';
import { type Actor, agent, provision, superAdmin } from './actors.ts';
import { startAppWith, type TestApp } from './app.ts';
import { serverUrl, sql } from './database.ts';
import { expectError } from './errors.ts';

export const HOURS = '/api/working-hours';
export const ZONE = '/api/settings/timezone';
export const EXCEPTIONS = `${HOURS}/exceptions`;
export const IMPORT = `${EXCEPTIONS}/import`;

export const entry = (day_of_week: unknown, start_time: unknown, end_time: unknown, more = {}) => ({
  ...{ day_of_week, start_time, end_time, ...more },
});

export interface KeptHours {
  app: TestApp;
  admin: Actor;
  sales: string;
  /** A division that has as many exceptions as there may be. */
  full: string;
  leapDay: string;
  /** Holds all that can be read, and what every change leaves behind it, to what there was in the beginning. */
  expectUntouched(): Promise<void>;
  /** @returns what was said of the fields. */
  refused(method: string, path: string, body: unknown, fields: string[]): Promise<string>;
}

export const startKeptHours = (): Promise<KeptHours> =>
  startAppWith(async (app) => {
    const root = await superAdmin(app);
    const tenant = await provision(root);
    const admin = await agent(app, tenant.adminEmail, tenant.adminPassword);
    const made = async (path: string, body: object) => (await admin.rest('POST', path, body)).body.id;
    const sales = await made('/api/divisions', { name: 'Sales' });
    const full = await made('/api/divisions', { name: 'Full' });
    await admin.rest('PUT', HOURS, { days: [entry(6, '22:00', '02:00'), entry(3, '22:00', '02:00')] });
    await admin.rest('PUT', `${HOURS}/divisions/${sales}`, { days: [entry(1, '09:00', '12:00')] });
    await made(EXCEPTIONS, { name: 'Christmas', start_date: '2020-12-25', end_date: '2020-12-26', yearly: true });
    await made(EXCEPTIONS, { name: 'Move', start_date: '2026-06-01', end_date: '2026-06-03' });
    const leapDay = await made(EXCEPTIONS, { name: 'Leap day', start_date: '2024-02-29', yearly: true });
    await sql(
      serverUrl(app.services.servers.home.nameFor(tenant.id)),
      `insert into working_hours_exceptions (id, division_id, name, start_date, end_date, created_at, updated_at)
       select gen_random_uuid(), $1, 'Day ' || n, date '2030-01-01' + n, date '2030-01-01' + n, now(), now()
         from generate_series(1, 500) as n`,
      [full],
    );
    const everything = async () => {
      const paths = [HOURS, `${HOURS}/divisions/${sales}`, ZONE, EXCEPTIONS, '/api/divisions', `${HOURS}/changes`];
      const answers = await Promise.all(paths.map((path) => admin.rest('GET', path)));
      expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
      const traces = `select (select max(id::text) from activity_log), (select max(seq) from schedule_versions)`;
      return [
        ...answers.map(({ body }) => body),
        await app.services.tenants.rows(tenant.id, { name: '', text: traces }),
      ];
    };
    const before = await everything();
    return {
      ...{ app, admin, sales, full, leapDay },
      expectUntouched: async () => expect(await everything()).toEqual(before),
      async refused(method, path, body, fields) {
        const answer = await admin.rest(method, path, body);
        expectError(answer, 400, 'validation_failed', fields);
        return answer.body.details.map(({ message }: { message: string }) => message).join('\n');
      },
    };
  });
