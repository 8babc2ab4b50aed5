import { randomUUID } from 'node:crypto';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { v7 } from 'uuid';
import { newId } from '../src/clock.ts';
import { ServerAway } from '../src/db/server-liveness.ts';
import { sweepArchives } from '../src/domain/offboarding/sweep.ts';
import { type Actor, superAdmin, type Tenant } from './support/actors.ts';
import { startApp, type TestApp } from './support/app.ts';
import { sql } from './support/database.ts';
import { cleanUp, temporaryFolder } from './support/gateway-process.ts';
import { leaving } from './support/offboarding.ts';

let app: TestApp;
let dataDir: string;
let root: Actor;

beforeAll(async () => {
  dataDir = await temporaryFolder();
  app = await startApp({ DATA_DIR: dataDir });
  root = await superAdmin(app);
});
afterAll(async () => {
  await app?.stop();
  await cleanUp();
});

const { suspended, purged, begin, attempt, archived } = leaving(
  () => app,
  () => root,
);

const daysAgo = (count: number) => new Date(Date.now() - count * 86_400_000);
const archives = async () => (await readdir(join(dataDir, 'archives'))).map((name) => `archives/${name}`);

/** A file that no row names. */
async function leftArchive(orgId: string, written: Date, ending = ''): Promise<string> {
  const name = `archives/${orgId}.${v7({ msecs: written.getTime() })}.omnibak${ending}`;
  await writeFile(join(dataDir, name), 'an archive');
  await utimes(join(dataDir, name), written, written);
  return name;
}

describe('an archived tenant', () => {
  test('leaves no file behind on any disk, and none is removed that could be all there is', async () => {
    const [kept, whole, lost, busy, ended] = await Promise.all(Array.from({ length: 5 }, suspended));
    await archived(kept!);
    const [row] = await sql<{ name: string }>(app.databaseUrl, 'select name from tenant_archives where org_id = $1', [
      kept!.id,
    ]);
    await begin(busy!, 'archive');
    await purged(ended!);
    // As after a control plane was restored from a backup of before the archiving.
    await sql(app.databaseUrl, `update tenant_databases set database_name = 'dropped' where org_id = $1`, [lost!.id]);
    const toGo = [
      await leftArchive(kept!.id, daysAgo(2)),
      await leftArchive(whole!.id, daysAgo(2)),
      await leftArchive(whole!.id, daysAgo(2), `.${randomUUID()}.draft`),
      await leftArchive(ended!.id, daysAgo(1)),
    ];
    const toStay = [
      row!.name,
      await leftArchive(whole!.id, daysAgo(0)),
      await leftArchive(lost!.id, daysAgo(40)),
      await leftArchive(busy!.id, daysAgo(2)),
      await leftArchive(randomUUID(), daysAgo(40)),
    ];
    await utimes(join(dataDir, row!.name), daysAgo(400), daysAgo(400));
    await sweepArchives(app.services, new AbortController().signal);
    const now = await archives();
    expect(now).toEqual(expect.arrayContaining(toStay));
    expect(now.filter((name) => toGo.includes(name))).toEqual([]);
    await sql(app.databaseUrl, `update tenant_databases set database_name = role_name where org_id = $1`, [lost!.id]);
    await attempt(app.services, busy!, 1);
    for (const name of toStay.slice(1)) await rm(join(dataDir, name), { force: true });
  });

  test('keeps what was made in a time that a restore has taken back, and what is newer than a kept archive that is lost', async () => {
    const [older, lost, newer, whole, plain] = await Promise.all(Array.from({ length: 5 }, suspended));
    const again = { id: randomUUID() };
    const entry = ({ id }: { id: string }, action: string, at: number, takenAt?: number) =>
      sql(
        app.databaseUrl,
        `insert into audit_entries (id, org_id, actor_kind, action, after, created_at) values ($1, $2, 'system', $3, $4, $5)`,
        [newId(), id, action, takenAt ? { taken_at: daysAgo(takenAt) } : null, daysAgo(at)],
      );
    const keeps = async (tenant: Tenant, name: string) => {
      await sql(
        app.databaseUrl,
        `insert into tenant_archives (org_id, place, name, bytes, records, taken_at) values ($1, 'folder', $2, 1, 1, now())`,
        [tenant.id, name],
      );
      return name;
    };
    const toStay = [
      // The row is of an older backup than the archive; what it names went when the newer one was kept, or is there.
      await leftArchive(lost!.id, daysAgo(3)),
      await keeps(newer!, await leftArchive(newer!.id, daysAgo(5))),
      await leftArchive(newer!.id, daysAgo(3)),
      await keeps(older!, await leftArchive(older!.id, daysAgo(2))),
      // Its database is as it was before.
      await leftArchive(whole!.id, daysAgo(3)),
      // Removed for good, restored from a backup, archived; then the control plane is of a time in between.
      await leftArchive(again.id, daysAgo(3)),
    ];
    await keeps(lost!, `archives/${lost!.id}.${newId()}.omnibak`);
    await entry(whole!, 'tenant.restore', 2, 4);
    await entry(again, 'tenant.purge', 4);
    const toGo = [
      await leftArchive(older!.id, daysAgo(6)),
      await leftArchive(whole!.id, daysAgo(6)),
      await leftArchive(plain!.id, daysAgo(3)),
    ];
    const warn = jest.spyOn(app.services.log, 'warn');
    try {
      for (const _ of [1, 2]) await sweepArchives(app.services, new AbortController().signal);
      const doubts = warn.mock.calls.filter(([told]) => toStay.includes(Object(told).file));
      expect(doubts).toHaveLength(4);
    } finally {
      warn.mockRestore();
    }
    expect(await archives()).toEqual(expect.arrayContaining(toStay));
    expect((await archives()).filter((name) => toGo.includes(name))).toEqual([]);
    for (const name of toStay) await rm(join(dataDir, name));
    await sql(app.databaseUrl, 'delete from tenant_archives where org_id = any($1)', [
      [older, lost, newer].map((tenant) => tenant!.id),
    ]);
  });

  test('on a server that is away keeps its files, and those of others go nevertheless', async () => {
    const [away, here] = await Promise.all([suspended(), suspended()]);
    const stays = await leftArchive(away.id, daysAgo(2));
    const goes = await leftArchive(here.id, daysAgo(2));
    const { servers } = app.services;
    const of = async (orgId: string) => {
      if (orgId === away.id) throw new ServerAway('eu-1');
      return servers.of(orgId);
    };
    const services = { ...app.services, servers: Object.assign(Object.create(servers), { of }) };
    await sweepArchives(services, new AbortController().signal);
    expect(await archives()).toContain(stays);
    expect(await archives()).not.toContain(goes);
    await rm(join(dataDir, stays));
  });
});
