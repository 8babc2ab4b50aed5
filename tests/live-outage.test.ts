import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { embeddedUrl, runningServer } from '../src/db/embedded-cluster.ts';
import { storedSecrets } from '../src/db/secrets.ts';
import { eventually, superAdmin } from './support/actors.ts';
import { hasBrowser, openPage, signIn, startBrowser } from './support/browser.ts';
import { ensureBuilt } from './support/built.ts';
import { type Ear, listen } from './support/console-ear.ts';
import { sql } from './support/database.ts';
import { Follower, type Told } from './support/follower.ts';
import {
  cleanUp,
  type GatewayProcess,
  postgresGone,
  startGateway,
  temporaryFolder,
} from './support/gateway-process.ts';
import { allActive, provisionMany, took } from './support/many-tenants.ts';

/** How many tenants are being made when the outage comes; `OUTAGE_TENANTS=100` makes it the long form, by SIGTERM. */
const [MANY, FEW] = [Number(process.env.OUTAGE_TENANTS ?? 40), 30];
/** On a busy machine PostgreSQL writes out so many databases for a minute. */
const PATIENCE_MS = 300_000;
/** Whose making is followed step by step: the first, in whose midst the outage comes, and those that begin after it. */
const WATCHED = 6;
const OUTAGE_MS = 5000;
/** The client's pause, so that the gateway goes on before it is back. */
const PAUSE_MS = 1000;

beforeAll(ensureBuilt);
afterEach(cleanUp);

interface TenantTold extends Told {
  change: string;
  tenant: { id: string; status: string };
}

interface ProvisioningTold extends Told {
  provisioning: { state: string; steps: { name: string; state: string }[] };
}

const TENANT_CHANGED =
  'subscription ($after: Sequence) { tenantChanged(after: $after) { sequence kind change tenant { id status } } }';
const PROVISIONING = `subscription ($id: UUID!, $after: Sequence) {
  tenantProvisioning(tenantId: $id, after: $after) { sequence kind provisioning { state steps { name state } } }
}`;

/** Events of the log after this one, oldest first. */
async function logOf(dataDir: string, topic: string, after: number, tenantId?: string) {
  const server = (await runningServer(dataDir))!;
  const { postgresPassword } = await storedSecrets(dataDir);
  return sql<{
    seq: number;
    payload: { tenantId: string; change: string; tenant: { status: string }; provisioning: never };
  }>(
    embeddedUrl(server.port, postgresPassword),
    `select seq::float8 as seq, payload from events
      where topic = $1 and seq > $2 and ($3::text is null or payload->>'tenantId' = $3) order by seq`,
    [topic, after, tenantId ?? null],
  );
}

/** The console with the list of tenants, and with one that is being made. */
interface Consoles {
  tenants: Page;
  ear: Ear;
  /** Opens a tenant's page in another tab. */
  look(id: string): Promise<{ page: Page; ear: Ear }>;
}

async function openConsoles(gateway: GatewayProcess): Promise<Consoles> {
  const open = async (path: string) => {
    const { page } = await openPage(browser!, gateway);
    const ear = listen(page);
    await signIn(page, gateway, path);
    return { page, ear };
  };
  const { page: tenants, ear } = await open('/tenants');
  return { tenants, ear, look: (id) => open(`/tenants/${id}`) };
}

let browser: Browser | undefined;
beforeAll(async () => {
  if (hasBrowser) browser = await startBrowser();
  else process.stderr.write("skipped: the console's part of the outage (chromium is not on PATH)\n");
});
afterAll(() => browser?.close());

test.each([
  // As an operator stops it, with consoles open; as a machine fails.
  ['SIGTERM', MANY],
  ['SIGKILL', FEW],
] as const)(
  'the gateway is gone for five seconds by %s in the midst of %i provisionings: who comes back with `after` is told the log, without gap or repeat; so is the console',
  async (signal, count) => {
    const dataDir = join(await temporaryFolder(), 'data');
    const first = await startGateway({ DATA_DIR: dataDir });
    const admin = await superAdmin(first);
    const all = new Follower<TenantTold>(first.url, admin.token!, TENANT_CHANGED, {}, PAUSE_MS);
    const consoles = browser && signal === 'SIGTERM' ? await openConsoles(first) : undefined;
    const inConsole = () => consoles?.ear.told<TenantTold>('tenantChanged');
    await eventually(
      async () => [all.told.length, inConsole()?.length ?? 1],
      ([script, page]) => script === 1 && page === 1,
    );
    const { accepted, done } = provisionMany(admin, count);
    await done;
    const watched = [...accepted.slice(0, WATCHED / 2), ...accepted.slice(-WATCHED / 2)].map(({ id }) => ({
      id,
      follower: new Follower<ProvisioningTold>(first.url, admin.token!, PROVISIONING, { id }, PAUSE_MS),
    }));
    const last = accepted.at(-1)!.id;
    const looked = await consoles?.look(last);
    const activated = () => all.told.filter(({ change }) => change === 'ACTIVATED').length;
    await eventually(
      async () => activated(),
      (soFar) => soFar >= count / 4,
      PATIENCE_MS,
    );

    await first.end(signal);
    const toldBefore = all.told.length;
    expect(activated()).toBeLessThan(count);
    await consoles?.tenants
      .getByText(/Connection lost since/)
      .first()
      .waitFor();
    await sleep(OUTAGE_MS);
    await postgresGone(dataDir);
    const second = await startGateway({ DATA_DIR: dataDir, PORT: new URL(first.url).port });
    const restarted = performance.now();
    expect(await allActive(await superAdmin(second), PATIENCE_MS)).toBe(count);
    took(`after ${signal}, until all ${count} are active`, performance.now() - restarted);

    const log = await logOf(dataDir, 'tenant', all.told[0]!.sequence);
    expect(log).toHaveLength(2 * count);
    await toldTheLog(() => all.told, log, tenantTold, tenantLogged);
    expect(toldBefore).toBeLessThan(all.told.length);
    for (const { id, follower } of watched) {
      const steps = await logOf(dataDir, 'provisioning', follower.told[0]!.sequence, id);
      await toldTheLog(() => follower.told, steps, provisioningTold, provisioningLogged);
      expect(follower.told.at(-1)!.provisioning.state).toBe('SUCCEEDED');
    }
    for (const follower of [all, ...watched.map(({ follower }) => follower)]) {
      expect(follower.failure).toBeUndefined();
      expect(follower.connections).toBe(2);
      await follower.stop();
    }

    if (consoles && looked) {
      const toldList = inConsole()!;
      const before = toldList[0]!.sequence;
      await toldTheLog(
        () => toldList,
        log.filter(({ seq }) => seq > before),
        tenantTold,
        tenantLogged,
      );
      const toldSteps = looked.ear.told<ProvisioningTold>('tenantProvisioning');
      const steps = await logOf(dataDir, 'provisioning', toldSteps[0]!.sequence, last);
      await toldTheLog(() => toldSteps, steps, provisioningTold, provisioningLogged);
      // One that is cut off while it comes back comes once more.
      for (const { connections } of [consoles.ear, looked.ear]) expect([2, 3, 4]).toContain(connections);
      // And it shows what it was told.
      const shown = (status: string) => consoles.tenants.getByTestId(`count-${status}`).innerText();
      await eventually(
        async () => [await shown('ALL'), await shown('ACTIVE'), await shown('PROVISIONING')].join(),
        (counts) => counts === `All\n${count},Active\n${count},Provisioning\n0`,
      );
      await looked.page.getByText(/Took .* in all/).waitFor();
      await Promise.all([consoles.tenants.context().close(), looked.page.context().close()]);
    }
    await second.end('SIGTERM');
  },
  PATIENCE_MS,
);

type Logged = Awaited<ReturnType<typeof logOf>>[number];

/** What holds at first, then each event of the log once and in order. */
async function toldTheLog<T extends Told>(
  told: () => T[],
  log: Logged[],
  heard: (event: T) => unknown,
  logged: (event: Logged) => unknown,
) {
  await eventually(
    async () => told().length,
    (length) => length > log.length,
    20_000,
  );
  expect(told().map(({ kind }) => kind)).toEqual(['SNAPSHOT', ...log.map(() => 'CHANGE')]);
  expect(
    told()
      .slice(1)
      .map((event) => [event.sequence, heard(event)]),
  ).toEqual(log.map((event) => [event.seq, logged(event)]));
}

const tenantTold = ({ change, tenant }: TenantTold) => `${change} ${tenant.id} ${tenant.status}`;
const tenantLogged = ({ payload: { change, tenantId, tenant } }: Logged) =>
  `${change.toUpperCase()} ${tenantId} ${tenant.status.toUpperCase()}`;
const provisioningTold = ({ provisioning }: ProvisioningTold) => lower(provisioning);
const provisioningLogged = ({ payload }: Logged) => lower(payload.provisioning);

/** The log spells values as the database does, GraphQL in capitals. */
const lower = ({ state, steps }: ProvisioningTold['provisioning']) =>
  JSON.stringify([state, ...steps.map((step) => `${step.name} ${step.state}`)]).toLowerCase();
