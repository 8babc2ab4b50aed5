/** Divisions, asked for over REST: each answer is held to what the API description says of it. */
import { expect } from '@jest/globals';
import { type Actor, type Answer, agent, provision, superAdmin, type Tenant } from './actors.ts';
import { ApiDescription } from './api-description.ts';
import { startAppWith, type TestApp } from './app.ts';
import { addUser } from './tenants.ts';
import { decode } from './tokens.ts';

export const ALL = '/api/divisions';
export const ONE = '/api/divisions/{id}';
export const AGENTS = '/api/divisions/{id}/agents';
export const NOBODY = '00000000-0000-7000-8000-000000000000';
export const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
export const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

interface Request {
  by?: Actor;
  id?: string;
  body?: unknown;
  query?: string;
}

/** A gateway with two tenants, and people of each role in the first. */
export interface Companies {
  app: TestApp;
  description: ApiDescription;
  root: Actor;
  acme: Tenant;
  other: Tenant;
  /** Who asks, unless somebody else does. */
  admin: Actor;
  supervisor: Actor;
  plain: Actor;
  /** The admin of the other one. */
  stranger: Actor;
  /** Agents of acme in the order in which they were made, the admin first. */
  people: string[];
}

export const startCompanies = (): Promise<Companies> =>
  startAppWith(async (app) => {
    const root = await superAdmin(app);
    const description = new ApiDescription((await root.rest('GET', '/api/openapi.json')).body);
    const [acme, other] = await Promise.all([provision(root), provision(root)]);
    const signIn = ({ adminEmail, adminPassword }: Tenant) => agent(app, adminEmail, adminPassword);
    const [admin, stranger] = await Promise.all([signIn(acme), signIn(other)]);
    const people: string[] = [decode(admin.token!).claims.sub];
    for (const role of ['supervisor', 'agent', 'agent']) {
      people.push((await addUser(app, acme.id, { email: `p${people.length}@acme.test`, fullName: 'P', role })).id);
    }
    const person = (n: number) => agent(app, `p${n}@acme.test`, 'a password');
    const [supervisor, plain] = await Promise.all([person(1), person(2)]);
    return { app, description, root, acme, other, admin, supervisor, plain, stranger, people };
  });

interface World extends Pick<Companies, 'app' | 'description' | 'acme' | 'admin'> {
  /** Of the division that is made. */
  name: string;
}

/** @param world of the suite, as it is when something is asked. */
export function divisionsOf(world: () => World) {
  /** Asks, and holds the answer, good or bad, to what the API description says of it. */
  async function ask(
    method: string,
    path: string,
    { by = world().admin, id, body, query = '' }: Request = {},
    // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  ): Promise<Answer<any>> {
    const answer = await by.rest(method, path.replace('{id}', id ?? '') + query, body);
    expect(world().description.answerErrors(method, path, answer.status, answer.body)).toEqual([]);
    if (answer.status < 300 && body) expect(world().description.requestErrors(method, path, body)).toEqual([]);
    return answer;
  }

  const create = (body: object = {}, by = world().admin) =>
    ask('POST', ALL, { body: { name: world().name, ...body }, by });
  const createdId = async (body: object = {}, by = world().admin): Promise<string> => (await create(body, by)).body.id;
  const get = (id: string, by = world().admin) => ask('GET', ONE, { id, by });
  const update = (id: string, body: object, by = world().admin) => ask('PATCH', ONE, { id, body, by });
  const remove = (id: string, by = world().admin) => ask('DELETE', ONE, { id, by });
  const assign = (id: string, ...ids: unknown[]) => ask('POST', AGENTS, { id, body: { agent_ids: ids } });
  const unassign = (id: string, ...ids: unknown[]) => ask('DELETE', AGENTS, { id, body: { agent_ids: ids } });
  const members = async (id: string): Promise<string[]> =>
    (await ask('GET', AGENTS, { id })).body.map((member: { id: string }) => member.id);
  const rows = <Row>(text: string, values: unknown[] = []) =>
    world().app.services.tenants.rows<Row>(world().acme.id, { name: '', text }, values);
  const logged = (id: string) =>
    rows<Record<string, unknown>>('select * from activity_log where target_id = $1 order by id', [id]);
  /** The timezone in which the clock of a division is read now. */
  const clockZone = async (id: string) =>
    (await world().app.services.schedules.now(world().acme.id)).scope(id).clock.schedule.timezone;

  return { ask, create, createdId, get, update, remove, assign, unassign, members, rows, logged, clockZone };
}
