/** Exceptions of a tenant's week: whoever makes and reads them, by REST, and what comes of them. */
import { expect } from '@jest/globals';
import { type Actor, agent, provision, superAdmin, type Tenant } from './actors.ts';
import { ApiDescription } from './api-description.ts';
import { startAppWith, type TestApp } from './app.ts';
import { addUser } from './tenants.ts';

export const ALL = '/api/working-hours/exceptions';
export const ONE = `${ALL}/{id}`;
export const IMPORT = `${ALL}/import`;

/** A gateway with a tenant, and people of each role. */
export interface Days {
  app: TestApp;
  description: ApiDescription;
  root: Actor;
  acme: Tenant;
  admin: Actor;
  supervisor: Actor;
  plain: Actor;
}

export const startDays = (): Promise<Days> =>
  startAppWith(async (app) => {
    const root = await superAdmin(app);
    const description = new ApiDescription((await root.rest('GET', '/api/openapi.json')).body);
    const acme = await provision(root);
    const signIn = async (role: string) => {
      const { email } = await addUser(app, acme.id, { email: `${role}@days.test`, role });
      return agent(app, email, 'a password');
    };
    const admin = await agent(app, acme.adminEmail, acme.adminPassword);
    return {
      app,
      description,
      root,
      acme,
      admin,
      supervisor: await signIn('supervisor'),
      plain: await signIn('agent'),
    };
  });

let made = 0;
/** A division and a week of each test's own: its Monday to Sunday, in 2031 and after. The week is open Mon–Fri 08–17, UTC. */
export async function anotherWeek({ admin }: Days): Promise<{ division: string; week: string[] }> {
  made += 1;
  const division = (await admin.rest('POST', '/api/divisions', { name: `Division ${made}` })).body.id;
  const monday = Date.parse('2031-01-06T00:00:00Z') + made * 7 * 86_400_000;
  const week = Array.from({ length: 7 }, (_, n) => new Date(monday + n * 86_400_000).toISOString().slice(0, 10));
  return { division, week };
}

export const shift = (start_time: string, end_time: string) => ({ start_time, end_time });

/** @param now the days, and the week of the test that runs. */
export function exceptionsOf(now: () => Days & { week: string[] }) {
  /** Asks, and holds the answer to what the API description says of it. */
  async function ask(method: string, path: string, body?: unknown, by = now().admin, id = '') {
    const answer = await by.rest(method, path.replace('{id}', id), body);
    expect(now().description.answerErrors(method, path.split('?')[0]!, answer.status, answer.body)).toEqual([]);
    return answer;
  }
  const tenantRows = <Row = object>(text: string, values: unknown[] = []) =>
    now().app.services.tenants.rows<Row>(now().acme.id, { name: '', text }, values);
  return {
    ask,
    create: (fields: object, by = now().admin) =>
      ask('POST', ALL, { name: 'Holiday', start_date: now().week[0], ...fields }, by),
    read: async (id: string) => (await ask('GET', ONE, undefined, now().supervisor, id)).body,
    update: (id: string, fields: object, by = now().admin) => ask('PATCH', ONE, fields, by, id),
    remove: (id: string, by = now().admin) => ask('DELETE', ONE, undefined, by, id),
    /** Which of the hours `08 10 ...` of a day are open. */
    async open(day: string, hours: string, of?: string): Promise<string> {
      const found = [];
      for (const hour of hours.split(' ')) {
        const query = `at=${day}T${hour}:30:00Z${of ? `&division_id=${of}` : ''}`;
        const { body } = await now().plain.rest('GET', `/api/working-hours/status?${query}`);
        if (body.is_working_hours) found.push(hour);
      }
      return found.join(' ');
    },
    /** What the activity log says of an exception. */
    logged: (id: string) =>
      tenantRows<{ action: string; before: unknown; after: unknown }>(
        'select * from activity_log where target_id = $1 order by id',
        [id],
      ),
    /** How much has been written so far, whatever it is. */
    traces: () => tenantRows('select (select count(*) from activity_log), (select count(*) from schedule_versions)'),
  };
}
