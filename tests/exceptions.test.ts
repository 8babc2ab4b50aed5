import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { EDIT_LOCK } from '../src/domain/schedule-edits.ts';
import { type Actor, agent, eventually, pagesOf, provision } from './support/actors.ts';
import { calendar } from './support/calendars.ts';
import { INSTANT, UUID } from './support/divisions.ts';
import { expectError, expectGraphqlError } from './support/errors.ts';
import { ALL, anotherWeek, type Days, exceptionsOf, IMPORT, ONE, shift, startDays } from './support/exceptions.ts';

let days: Days;
let admin: Actor;
let supervisor: Actor;
let plain: Actor;
/** Of each test's own. */
let division: string;
let week: string[];

beforeAll(async () => {
  days = await startDays();
  ({ admin, supervisor, plain } = days);
});
beforeEach(async () => {
  ({ division, week } = await anotherWeek(days));
});
afterAll(() => days?.app.stop());

const { ask, create, read, update, remove, open, logged, traces } = exceptionsOf(() => ({ ...days, week }));
const explained = async (day: string, of = '') =>
  (await plain.rest('GET', `/api/working-hours/status?at=${day}T10:00:00Z${of}`)).body.explanation;

test('in GraphQL a null is as good as nothing: it makes a day, and changes none', async () => {
  const fields = '{ id name startDate endDate yearly hours { startTime } divisionId }';
  const nothing = { endDate: null, yearly: null, hours: null };
  const { data, errors } = await admin.graphql(
    `mutation ($input: CreateWorkingHoursExceptionInput!) { createWorkingHoursException(input: $input) ${fields} }`,
    { input: { name: 'Nothing else', startDate: week[0], divisionId: division, ...nothing } },
  );
  expect(errors).toBeUndefined();
  const one = data.createWorkingHoursException;
  expect(one).toMatchObject({ startDate: week[0], endDate: week[0], yearly: false, hours: [], divisionId: division });
  const changed = await admin.graphql(
    `mutation ($id: UUID!, $input: UpdateWorkingHoursExceptionInput!) { updateWorkingHoursException(id: $id, input: $input) ${fields} }`,
    { id: one.id, input: { name: null, startDate: null, ...nothing } },
  );
  expect(changed).toEqual({ data: { updateWorkingHoursException: one } });
});

describe('an exception', () => {
  test('without hours is a holiday: its days are closed, and it says why', async () => {
    const { status, headers, body } = await create({ name: ' Company  day ', end_date: week[1] });
    expect([status, headers.get('location')]).toEqual([201, `${ALL}/${body.id}`]);
    expect(body).toEqual({
      id: UUID,
      name: 'Company  day',
      start_date: week[0],
      end_date: week[1],
      yearly: false,
      hours: [],
      opted_out_division_ids: [],
      created_at: INSTANT,
      updated_at: body.created_at,
    });
    expect(await read(body.id)).toEqual(body);
    const opened = [];
    for (const day of week) opened.push(await open(day, '10'));
    expect(opened).toEqual(['', '', '10', '10', '10', '', '']);
    expect(await explained(week[0]!)).toBe(`Closed for Company  day: Monday ${week[0]}, UTC`);
    expect(await logged(body.id)).toMatchObject([
      { action: 'exception.create', before: null, after: { endDate: week[1] } },
    ]);
  });

  test('with hours stands in for the week on its days, also where the week is closed', async () => {
    await create({ start_date: week[5], hours: [shift('13:00', '14:00:00'), shift('10:00', '12:00')] });
    await create({ start_date: week[2], hours: [shift('20:00', '04:00')] });
    expect(await open(week[5]!, '09 10 11 12 13 14')).toBe('10 11 13');
    expect(await open(week[2]!, '10 19 20 23')).toBe('20 23');
    // What began the evening before runs on beside the week.
    expect(await open(week[3]!, '02 03 04 08')).toBe('02 03 08');
  });

  test('begins where a night that began the evening before runs on', async () => {
    await create({ start_date: week[0], hours: [shift('22:00', '06:00')] });
    await create({ start_date: week[1] });
    expect(await open(week[1]!, '00 05 06 10')).toBe('00 05');
  });

  test("of a division counts before the organization's, and for the division alone", async () => {
    await create({ name: 'All closed' });
    const { status, body } = await create(
      { name: 'Sale', division_id: division, hours: [shift('06:00', '07:00')] },
      supervisor,
    );
    expect([status, body.division_id]).toEqual([201, division]);
    expect([await open(week[0]!, '06 10'), await open(week[0]!, '06 10', division)]).toEqual(['', '06']);
    expect(await explained(week[0]!, `&division_id=${division}`)).toContain('Sale');
    const mine = await ask('GET', `${ALL}?division_id=${division}`, undefined, supervisor);
    expect(mine.body).toEqual([body]);
  });

  test('of the organization may be opted out of and in again, as often as one likes', async () => {
    const { body } = await create({ name: 'Regional day' });
    const path = `/api/working-hours/divisions/${division}/opt-outs/${body.id}`;
    for (const by of [supervisor, admin]) {
      const out = await by.rest('PUT', path);
      expect([out.status, out.body.opted_out_division_ids]).toEqual([200, [division]]);
    }
    expect([await open(week[0]!, '10'), await open(week[0]!, '10', division)]).toEqual(['', '10']);
    expect((await read(body.id)).opted_out_division_ids).toEqual([division]);
    expect((await update(body.id, { name: 'Renamed' })).body.opted_out_division_ids).toEqual([division]);
    for (let time = 0; time < 2; time++) {
      expect((await supervisor.rest('DELETE', path)).body.opted_out_division_ids).toEqual([]);
    }
    expect(await open(week[0]!, '10', division)).toBe('');
    expect((await logged(body.id)).map(({ action }) => action.split('.')[1])).toEqual([
      'create',
      'opt_out',
      'update',
      'opt_in',
    ]);
    const own = (await create({ division_id: division })).body.id;
    expectError(
      await admin.rest('PUT', `/api/working-hours/divisions/${division}/opt-outs/${own}`),
      400,
      'validation_failed',
      ['exception_id'],
    );
    expectError(await admin.rest('PUT', `/api/working-hours/divisions/${own}/opt-outs/${body.id}`), 404, 'not_found');
    expectError(await plain.rest('PUT', path), 403, 'forbidden');
  });

  /** Those of the days on which it is closed at 10:30. */
  const closedOn = async (days: string, of?: string) => {
    const closed = [];
    for (const day of days.split(' ')) if (!(await open(day, '10', of))) closed.push(day);
    return closed.join(' ');
  };

  test('comes back every year from the first on, over the end of the year too', async () => {
    const dates = { start_date: '2031-12-30', end_date: '2032-01-02', yearly: true };
    await create({ division_id: division, name: 'New Year', ...dates });
    const days = '2030-12-31 2031-12-31 2032-01-02 2032-01-05 2040-01-02 2040-12-31';
    expect(await closedOn(days, division)).toBe('2031-12-31 2032-01-02 2040-01-02 2040-12-31');
  });

  test('on 29 February alone comes in leap years; days that begin with it begin on 1 March in others', async () => {
    const { body } = await create({ name: 'Leap day', start_date: '2028-02-29', yearly: true });
    const days = '2028-02-29 2028-03-01 2029-02-28 2029-03-01 2029-03-02 2033-03-01 2036-02-29';
    expect(await closedOn(days)).toBe('2028-02-29 2036-02-29');
    await update(body.id, { end_date: '2028-03-01' });
    expect(await closedOn(days)).toBe('2028-02-29 2028-03-01 2029-03-01 2033-03-01 2036-02-29');
    await update(body.id, { start_date: '2028-02-28', end_date: '2028-02-29' });
    expect(await closedOn(days)).toBe('2028-02-29 2029-02-28 2036-02-29');
    await remove(body.id);
  });

  test('is one where ten at once want the same day', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => create({ name: `Racer ${n}` })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(400)]);
  });
});

describe('changing an exception', () => {
  test('changes what is given and leaves the rest', async () => {
    const { body } = await create({ end_date: week[1], hours: [shift('10:00', '12:00')] });
    const renamed = (await update(body.id, { name: 'Other' })).body;
    expect(renamed).toEqual({ ...body, name: 'Other', updated_at: INSTANT });
    expect(renamed.updated_at > body.updated_at).toBe(true);
    expect((await update(body.id, { start_date: week[1] })).body).toMatchObject({
      start_date: week[1],
      end_date: week[1],
    });
    // One of a single day moves as a whole.
    expect((await update(body.id, { start_date: week[3] })).body).toMatchObject({
      start_date: week[3],
      end_date: week[3],
    });
    expect((await update(body.id, { hours: [] })).body.hours).toEqual([]);
    expect([await open(week[1]!, '08'), await open(week[3]!, '08 10')]).toEqual(['08', '']);
    expect((await update(body.id, { yearly: true, end_date: week[4] })).body).toMatchObject({
      yearly: true,
      end_date: week[4],
    });
    expect(await read(body.id)).toMatchObject({ name: 'Other', yearly: true, start_date: week[3], end_date: week[4] });
    await remove(body.id);
  });

  test('leaves nothing behind where nothing changes', async () => {
    const { body } = await create({ hours: [shift('10:00', '12:00')] });
    const before = await traces();
    for (const same of [
      {},
      { name: 'Holiday' },
      { start_date: week[0], yearly: false },
      { hours: [shift('10:00', '12:00:00')] },
    ]) {
      expect((await update(body.id, same)).body).toEqual(body);
    }
    expect(await traces()).toEqual(before);
  });

  test('gives its days back to the week when it is removed', async () => {
    const { body } = await create({});
    expect(await open(week[0]!, '10')).toBe('');
    expect(await remove(body.id)).toMatchObject({ status: 200, body: { message: 'Exception deleted' } });
    expect(await open(week[0]!, '10')).toBe('10');
    for (const answer of [
      await remove(body.id),
      await update(body.id, { name: 'X' }),
      await ask('GET', ONE, undefined, supervisor, body.id),
    ]) {
      expectError(answer, 404, 'not_found');
    }
    expect((await create({})).status).toBe(201);
  });

  test('goes with its division', async () => {
    const { body } = await create({ division_id: division });
    const global = (await create({})).body.id;
    await admin.rest('PUT', `/api/working-hours/divisions/${division}/opt-outs/${global}`);
    expect((await admin.rest('DELETE', `/api/divisions/${division}`)).status).toBe(200);
    expectError(await ask('GET', ONE, undefined, supervisor, body.id), 404, 'not_found');
    expect((await read(global)).opted_out_division_ids).toEqual([]);
    expect((await plain.rest('GET', `/api/working-hours/status?at=${week[1]}T10:00:00Z`)).status).toBe(200);
    expect((await create({ start_date: week[1] })).status).toBe(201);
  });
});

test('the list holds all in the order in which they were made, in pages where that is asked for', async () => {
  for (const day of week.slice(0, 5)) await create({ start_date: day, division_id: division });
  const whole = (await ask('GET', ALL, undefined, supervisor)).body;
  expect(whole.slice(-5).map((one: { start_date: string }) => one.start_date)).toEqual(week.slice(0, 5));
  const pages = await pagesOf(supervisor, `${ALL}?limit=2&division_id=${division}`);
  expect(pages.flat()).toEqual(whole.slice(-5));
});

describe('whoever may manage divisions', () => {
  test("may not touch the organization's exceptions", async () => {
    const { body } = await create({});
    for (const answer of [
      await create({ start_date: week[1] }, supervisor),
      await update(body.id, { name: 'X' }, supervisor),
      await remove(body.id, supervisor),
    ]) {
      expectError(answer, 403, 'forbidden');
    }
    const file = calendar(['UID:1', `DTSTART;VALUE=DATE:20270601`, 'SUMMARY:New']);
    expectError(await supervisor.rest('POST', IMPORT, { calendar: file }), 403, 'forbidden');
    expect(await read(body.id)).toEqual(body);
  });

  test("may do all of it for a division's", async () => {
    const { body } = await create({ division_id: division }, supervisor);
    expect((await update(body.id, { name: 'X' }, supervisor)).status).toBe(200);
    expect((await remove(body.id, supervisor)).status).toBe(200);
  });

  test('is no plain agent, and nobody of another tenant', async () => {
    const { body } = await create({ division_id: division });
    for (const answer of [
      await create({}, plain),
      await update(body.id, {}, plain),
      await remove(body.id, plain),
      await ask('GET', ALL, undefined, plain),
    ]) {
      expectError(answer, 403, 'forbidden');
    }
    const other = await provision(days.root);
    const stranger = await agent(days.app, other.adminEmail, other.adminPassword);
    for (const answer of [
      await update(body.id, { name: 'X' }, stranger),
      await remove(body.id, stranger),
      await create({ division_id: division }, stranger),
    ]) {
      expectError(answer, 404, 'not_found');
    }
    expect((await stranger.rest('GET', ALL)).body).toEqual([]);
    for (const id of [division, other.id]) {
      expectError(await stranger.rest('GET', `${ALL}?division_id=${id}`), 404, 'not_found');
    }
    const document = 'mutation ($id: UUID!) { deleteWorkingHoursException(id: $id) { id } }';
    expectGraphqlError(await stranger.graphql(document, { id: body.id }), 'NOT_FOUND');
  });
});

test('those made while what roles allow is read anew do not wait for each other', async () => {
  const other = new pg.Client(await days.app.services.tenants.connection(days.acme.id));
  await other.connect();
  await other.query('select pg_advisory_lock($1)', [EDIT_LOCK]);
  const waiting =
    "select from pg_locks where locktype = 'advisory' and objid = $1 and not granted and database = (select oid from pg_database where datname = current_database())";
  const asked = [3, 4].map((day) => create({ start_date: week[day] }));
  await eventually(
    () => other.query(waiting, [EDIT_LOCK]),
    ({ rowCount }) => rowCount === 2,
  );
  // As when somebody changes a role just now.
  days.app.services.access.forget(days.acme.id);
  await other.end();
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([201, 201]);
});
