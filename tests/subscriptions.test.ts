import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createClient } from 'graphql-sse';
import type { Client } from 'graphql-ws';
import { HOME_SERVER_ID } from '../src/entities/control/database-server.ts';
import { cleanUp } from '../src/jobs/clean-up.ts';
import { type Actor, eventually, provision, superAdmin } from './support/actors.ts';
import { startApp, startTwoApps, type TwoApps } from './support/app.ts';
import { sql } from './support/database.ts';
import { eventsOf, openStream } from './support/event-streams.ts';
import { bearer, closeSockets, follow, socketClient } from './support/sockets.ts';

let apps: TwoApps;
let root: Actor;
/** Of a super admin, on the one gateway and on the other. */
let here: Client;
let there: Client;

beforeAll(async () => {
  apps = await startTwoApps();
  root = await superAdmin(apps.here);
  here = socketClient(apps.here, bearer(root));
  there = socketClient(apps.there, bearer(root));
});
afterAll(async () => {
  closeSockets();
  await apps.stop();
});

const TENANTS = `subscription ($after: Sequence) {
  tenantChanged(after: $after) { sequence kind change tenant { id name status limits { maxAgents } } counts { total } }
}`;
const PROVISIONING = `subscription ($id: UUID!, $after: Sequence) {
  tenantProvisioning(tenantId: $id, after: $after) {
    sequence kind tenantId provisioning { state attempt steps { name state attempt startedAt finishedAt error } }
  }
}`;
const AUDIT = `subscription ($after: Sequence) {
  auditEntryAdded(after: $after) { sequence kind entry { action tenantId actorEmail } recent { action tenantId } }
}`;

const rename = (id: string, name: string) => root.rest('PATCH', `/api/super-admin/tenants/${id}`, { name });
const sequences = (events: { sequence: number }[]) => events.map(({ sequence }) => sequence);

describe('tenantChanged', () => {
  test('first tells how many there are, then every change, on every gateway, in the same order', async () => {
    const followers = [follow(here, TENANTS), follow(there, TENANTS)];
    for (const follower of followers) {
      await follower.until(1);
      expect(follower.events[0]).toMatchObject({ kind: 'SNAPSHOT', change: null, tenant: null });
      expect(follower.events[0].counts.total).toEqual(expect.any(Number));
    }
    const { id } = await provision(root, { limits: { max_agents: 3 } });
    await rename(id, 'Another name');
    await root.rest('DELETE', `/api/super-admin/tenants/${id}`);
    await root.rest('PATCH', `/api/super-admin/tenants/${id}`, { status: 'active' });
    const [one, other] = await Promise.all(followers.map((follower) => follower.until(6)));
    // What holds now may have another number on each: events of other topics count as well.
    expect(one!.slice(1)).toEqual(other!.slice(1));
    expect(one!.slice(1).map(({ change, tenant }) => [change, tenant.id, tenant.name, tenant.status])).toEqual([
      ['CREATED', id, expect.any(String), 'PROVISIONING'],
      ['ACTIVATED', id, expect.any(String), 'ACTIVE'],
      ['UPDATED', id, 'Another name', 'ACTIVE'],
      ['SUSPENDED', id, 'Another name', 'SUSPENDED'],
      ['RESTORED', id, 'Another name', 'ACTIVE'],
    ]);
    expect(one![1].tenant.limits).toEqual({ maxAgents: 3 });
    expect(sequences(one!)).toEqual(sequences(one!).toSorted((a, b) => a - b));
    expect(new Set(sequences(one!)).size).toBe(6);
  });

  test('tells of a tenant all that asking for it does', async () => {
    const { data: type } = await root.graphql(
      '{ __type(name: "Tenant") { fields { name type { kind ofType { kind } } } } }',
    );
    const plain = type.__type.fields.filter(
      ({ type: { kind, ofType } }: { type: { kind: string; ofType?: { kind: string } } }) =>
        ['SCALAR', 'ENUM'].includes(ofType?.kind ?? kind),
    );
    const fields = `${plain.map(({ name }: { name: string }) => name).join(' ')} limits { maxAgents maxContacts maxMessagesMonth }`;
    await root.rest('PATCH', `/api/super-admin/database-servers/${HOME_SERVER_ID}`, { region: 'here' });
    const limits = { max_agents: 3, max_contacts: 4, max_messages_month: 5 };
    const { id } = await provision(root, { country: 'ID', region: 'here', limits });
    const follower = follow(there, `subscription { tenantChanged { tenant { ${fields} } } }`);
    await follower.until(1);
    await rename(id, 'Compared');
    const [, { tenant }] = await follower.until(2);
    const { data } = await root.graphql(`query ($id: UUID!) { tenant(id: $id) { ${fields} } }`, { id });
    expect(tenant).toEqual(data.tenant);
    expect(tenant).toMatchObject({ region: 'here', country: 'ID', name: 'Compared' });
  });

  test('whoever comes back is told what came after, on any gateway, once', async () => {
    const { id } = await provision(root);
    const first = follow(here, TENANTS);
    await first.until(1);
    await rename(id, 'One');
    await first.until(2);
    first.stop();
    for (const name of ['Two', 'Three', 'Four']) await rename(id, name);
    const { sequence } = first.events.at(-1);
    const back = follow(there, TENANTS, { after: sequence });
    await back.until(3);
    await rename(id, 'Five');
    const events = await back.until(4);
    expect(events.map(({ kind, tenant }) => [kind, tenant.name])).toEqual([
      ['CHANGE', 'Two'],
      ['CHANGE', 'Three'],
      ['CHANGE', 'Four'],
      ['CHANGE', 'Five'],
    ]);
    // As they were then, not as they are now.
    expect((await follow(here, TENANTS, { after: sequence }).until(4)).slice(0, 4)).toEqual(events);
  });

  test('what is rolled back is not told', async () => {
    const { id, slug } = await provision(root);
    const follower = follow(here, TENANTS);
    await follower.until(1);
    expect((await root.rest('POST', '/api/super-admin/tenants', { name: 'Twice', slug })).status).toBe(409);
    await rename(id, 'The next one');
    const [, next] = await follower.until(2);
    expect(next.tenant.name).toBe('The next one');
  });

  test('an `after` of the future is refused, one from before the log told as what holds now', async () => {
    const future = follow(here, TENANTS, { after: 2 ** 52 });
    await future.ended;
    expect(future.errors[0].extensions).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: [{ field: 'after', message: 'is of an event that has not happened' }],
    });
    await provision(root);
    await sql(apps.here.databaseUrl, 'delete from events where seq < (select max(seq) from events)');
    const [newest] = await sql<{ seq: string }>(apps.here.databaseUrl, 'select max(seq) as seq from events');
    const [event] = await follow(here, TENANTS, { after: 1 }).until(1);
    expect(event).toMatchObject({ kind: 'RESET', tenant: null, counts: { total: expect.any(Number) } });
    expect(event.sequence).toBeGreaterThanOrEqual(Number(newest!.seq));
  });

  test('a day later the log still tells what was missed; two days later it begins anew', async () => {
    const { id } = await provision(root);
    const [{ sequence }] = await follow(here, TENANTS).until(1);
    await rename(id, 'Missed');
    const back = async (hours: number) => {
      await sql(apps.here.databaseUrl, `update events set created_at = now() - interval '${hours} hours'`);
      await cleanUp(apps.here.services);
      const [event] = await follow(there, TENANTS, { after: sequence }).until(1);
      return event;
    };
    expect(await back(25)).toMatchObject({ kind: 'CHANGE', tenant: { id, name: 'Missed' } });
    expect(await back(49)).toMatchObject({ kind: 'RESET', tenant: null });
  });

  test.each(['-1', '1.5', '"x"', 'true'])('after: %s is no sequence', async (after) => {
    const follower = follow(here, `subscription { tenantChanged(after: ${after}) { sequence } }`);
    await follower.ended;
    expect(follower.errors[0].extensions.code).toBe('VALIDATION_FAILED');
  });
});

describe('tenantProvisioning', () => {
  test('tells each step as it begins and ends, and who joins late is told how it stands', async () => {
    // So that there is an event to follow from: days may have passed over the log in the test before.
    await provision(root);
    // From before it was asked for: its steps may be done before anybody can follow them.
    const [{ sequence }] = await follow(there, TENANTS).until(1);
    const { body } = await root.rest('POST', '/api/super-admin/tenants', { name: 'Watched', slug: 'watched' });
    const follower = follow(there, PROVISIONING, { id: body.id, after: sequence });
    const last = await follower.untilSeen(({ provisioning }) => provisioning.state === 'SUCCEEDED');
    expect(last.provisioning.steps.every(({ state }: { state: string }) => state === 'DONE')).toBe(true);
    const names = last.provisioning.steps.map(({ name }: { name: string }) => name);
    for (const name of names) {
      const states = follower.events
        .map(({ provisioning }) => provisioning.steps.find((step: { name: string }) => step.name === name).state)
        .filter((state, index, all) => state !== all[index - 1]);
      expect(states.join(' ')).toMatch(/^(PENDING )?RUNNING DONE$/);
    }
    const late = follow(here, PROVISIONING, { id: body.id });
    expect((await late.until(1))[0]).toEqual({ ...last, kind: 'SNAPSHOT', sequence: expect.any(Number) });
    // From the first event on, it is the same again.
    const again = follow(here, PROVISIONING, { id: body.id, after: follower.events[0].sequence });
    expect(await again.until(follower.events.length - 1)).toEqual(follower.events.slice(1));
  });

  test('of a tenant that is not there is refused', async () => {
    const follower = follow(here, PROVISIONING, { id: '00000000-0000-7000-8000-000000000000' });
    await follower.ended;
    expect(follower.errors[0].extensions.code).toBe('NOT_FOUND');
  });
});

describe('auditEntryAdded', () => {
  test('tells the newest entries, then each one, in an order without gaps, on every gateway', async () => {
    const followers = [follow(here, AUDIT), follow(there, AUDIT)];
    await Promise.all(followers.map((follower) => follower.until(1)));
    expect(followers[0]!.events[0]).toMatchObject({ kind: 'SNAPSHOT', entry: null });
    expect(followers[0]!.events[0].recent.length).toBeGreaterThan(0);
    const { id } = await provision(root);
    await rename(id, 'Audited');
    const isLast = ({ entry }: { entry?: { action: string; tenantId: string } }) =>
      entry?.action === 'tenant.update' && entry.tenantId === id;
    for (const follower of followers) {
      await follower.untilSeen(isLast);
      const actions = follower.events.filter(({ entry }) => entry?.tenantId === id).map(({ entry }) => entry.action);
      expect(actions).toEqual(['tenant.provision', 'tenant.activate', 'tenant.update']);
      const numbers = sequences(follower.events);
      expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    }
    const [first] = followers[0]!.events;
    const back = follow(there, AUDIT, { after: first.sequence });
    await back.untilSeen(isLast);
    const told = followers[0]!.events.slice(1);
    expect((await back.until(told.length)).slice(0, told.length)).toEqual(told);
  });

  test('an entry that is made while somebody begins to follow is told, however late the database says what there was', async () => {
    const third = await startApp({}, apps.here.databaseUrl);
    const { auditTail } = third.services;
    const { promise: made, resolve } = Promise.withResolvers<void>();
    const head = auditTail.head.bind(auditTail);
    const asked = jest.spyOn(auditTail, 'head').mockImplementation(async () => {
      if (asked.mock.calls.length === 2) await made;
      return head();
    });
    const follower = follow(socketClient(third, bearer(root)), AUDIT);
    await eventually(
      async () => asked.mock.calls.length,
      (times) => times >= 2,
    );
    const witness = follow(there, AUDIT);
    await witness.until(1);
    const { id } = await provision(root);
    const isOf = ({ tenantId }: { tenantId: string }) => tenantId === id;
    await witness.untilSeen(({ entry }) => entry && isOf(entry));
    resolve();
    await follower.untilSeen(({ entry, recent }) => (entry ? isOf(entry) : recent.some(isOf)));
    await third.stop();
  });
});

test('one execution serves all who ask the same, and each selection is answered with its own', async () => {
  const { id } = await provision(root);
  const selections = ['name', 'slug', 'name status'];
  const followers = selections.flatMap((fields) =>
    [here, there, here].map((client) => follow(client, `subscription { tenantChanged { kind tenant { ${fields} } } }`)),
  );
  await Promise.all(followers.map((follower) => follower.until(1)));
  await rename(id, 'Shared');
  const told = await Promise.all(followers.map((follower) => follower.until(2)));
  told.forEach(([, event], index) => {
    expect(Object.keys(event.tenant)).toEqual(selections[Math.floor(index / 3)]!.split(' '));
  });
});

test('where that one execution fails, each is told so under the number of their own request', async () => {
  await provision(root);
  const sockets = [socketClient(apps.here, bearer(root)), socketClient(apps.here, bearer(root))];
  const followers = sockets.map((client) => follow(client, 'subscription { tenantChanged { tenant { name } } }'));
  await Promise.all(followers.map((follower) => follower.until(1)));
  // Of a tenant without the name that each has.
  await sql(
    apps.here.databaseUrl,
    `insert into events (topic, payload)
       select topic, payload::jsonb #- '{tenant,name}' from events where topic = 'tenant' order by seq desc limit 1`,
  );
  const told = () => followers.map(({ errors }) => errors[0]?.extensions);
  const [one, other] = await eventually(
    async () => told(),
    (errors) => errors.every(Boolean),
  );
  expect([one.code, other.code]).toEqual(['INTERNAL_ERROR', 'INTERNAL_ERROR']);
  expect(one.requestId).toEqual(expect.any(String));
  expect(other.requestId).not.toBe(one.requestId);
});

describe('the same over server-sent events', () => {
  const stream = (body: unknown, headers: Record<string, string> = bearer(root)) =>
    openStream(apps.here, body, headers);

  test('tells what holds now, then changes', async () => {
    const { id } = await provision(root);
    const answer = await stream({ query: TENANTS });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const events = eventsOf(answer);
    expect((await events.next()).value).toMatchObject({
      event: 'next',
      data: { data: { tenantChanged: { kind: 'SNAPSHOT' } } },
    });
    await rename(id, 'Streamed');
    expect((await events.next()).value!.data.data.tenantChanged.tenant.name).toBe('Streamed');
    await events.return(undefined);
  });

  test("the protocol's own client follows a subscription and runs a query", async () => {
    const { id } = await provision(root);
    const client = createClient({ url: `${apps.there.url}/graphql/stream`, headers: bearer(root), retryAttempts: 0 });
    const events = client.iterate<{ tenantChanged: { kind: string; tenant?: { name: string } } }>({ query: TENANTS });
    expect((await events.next()).value!.data!.tenantChanged.kind).toBe('SNAPSHOT');
    await rename(id, 'By its own client');
    expect((await events.next()).value!.data!.tenantChanged.tenant!.name).toBe('By its own client');
    await events.return?.(undefined);
    for await (const { data } of client.iterate({ query: '{ me { role } }' }))
      expect(data).toEqual({ me: { role: 'super_admin' } });
    client.dispose();
  });

  test('ends within a second when the session does', async () => {
    const other = await superAdmin(apps.here);
    const answer = await stream({ query: TENANTS }, bearer(other));
    const over = (async () => {
      for await (const _ of eventsOf(answer));
    })().catch(() => {});
    await sleep(100);
    await other.graphql('mutation { logout { id } }');
    const endedAt = Date.now();
    await over;
    expect(Date.now() - endedAt).toBeLessThan(1000);
  });

  test('what is wrong with a request is said as everywhere', async () => {
    expect((await stream({ query: TENANTS }, { authorization: 'Bearer nonsense' })).status).toBe(401);
    expect((await stream({ query: TENANTS }, { ...bearer(root), accept: 'application/json' })).status).toBe(400);
    const [first] = await Array.fromAsync(eventsOf(await stream({ query: '{ nothing }' })));
    expect(first!.data.errors[0].extensions.code).toBe('VALIDATION_FAILED');
    const [nobody] = await Array.fromAsync(eventsOf(await stream({ query: TENANTS }, {})));
    expect(nobody!.data.errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });

  test('a stream is asked for by GET as well, and changes nothing so', async () => {
    const url = (query: string) => `${apps.here.url}/graphql/stream?query=${encodeURIComponent(query)}`;
    const headers = { accept: 'text/event-stream', ...bearer(root) };
    const answer = await fetch(url('{ me { role } }'), { headers });
    expect((await Array.fromAsync(eventsOf(answer)))[0]).toEqual({
      event: 'next',
      data: { data: { me: { role: 'super_admin' } } },
    });
    expect((await fetch(url('mutation { logout { id } }'), { headers })).status).toBe(405);
    expect((await fetch(`${apps.here.url}/graphql/stream`, { method: 'PUT', headers })).status).toBe(405);
  });
});
