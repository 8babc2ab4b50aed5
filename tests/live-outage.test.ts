import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { embeddedUrl, runningServer } from '../src/db/embedded-cluster.ts';
import { storedSecrets } from '../src/db/secrets.ts';
import { eventually, superAdmin } from './support/actors.ts';
import { ensureBuilt } from './support/built.ts';
import { sql } from './support/database.ts';
import { Follower } from './support/follower.ts';
import { cleanUp, postgresGone, startGateway, temporaryFolder } from './support/gateway-process.ts';
import { allActive, provisionMany, took } from './support/many-tenants.ts';

/** `OUTAGE_TENANTS=100` tries it with more, which takes a minute or two. */
const TENANTS = Number(process.env.OUTAGE_TENANTS ?? 40);
/** Whose making is followed step by step: the first, in whose midst the outage comes, and those that begin after it. */
const WATCHED = 6;
const OUTAGE_MS = 5000;
/** The client's pause, so that the gateway goes on before it is back. */
const PAUSE_MS = 1000;

beforeAll(ensureBuilt);
afterEach(cleanUp);

interface TenantTold {
  sequence: number;
  kind: 'SNAPSHOT' | 'CHANGE';
  change: string;
  tenant: { id: string; status: string };
}

interface ProvisioningTold {
  sequence: number;
  kind: 'SNAPSHOT' | 'CHANGE';
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

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'the gateway is gone for five seconds by %s in the midst of provisioning: who comes back with `after` is told the log, without gap or repeat',
  async (signal) => {
    const dataDir = join(await temporaryFolder(), 'data');
    const first = await startGateway({ DATA_DIR: dataDir });
    const admin = await superAdmin(first);
    const all = new Follower<TenantTold>(first.url, admin.token!, TENANT_CHANGED, {}, PAUSE_MS);
    await eventually(
      async () => all.told.length,
      (length) => length === 1,
    );
    const { accepted, done } = provisionMany(admin, TENANTS);
    await done;
    const watched = [...accepted.slice(0, WATCHED / 2), ...accepted.slice(-WATCHED / 2)].map(({ id }) => ({
      id,
      follower: new Follower<ProvisioningTold>(first.url, admin.token!, PROVISIONING, { id }, PAUSE_MS),
    }));
    const activated = () => all.told.filter(({ change }) => change === 'ACTIVATED').length;
    await eventually(
      async () => activated(),
      (count) => count >= TENANTS / 4,
      60_000,
    );

    await first.end(signal);
    const toldBefore = all.told.length;
    expect(activated()).toBeLessThan(TENANTS);
    await sleep(OUTAGE_MS);
    await postgresGone(dataDir);
    const second = await startGateway({ DATA_DIR: dataDir, PORT: new URL(first.url).port });
    const restarted = performance.now();
    expect(await allActive(await superAdmin(second), 60_000)).toBe(TENANTS);
    took(`after ${signal}, until all ${TENANTS} are active`, performance.now() - restarted);

    const followers = [all, ...watched.map(({ follower }) => follower)];
    const snapshot = all.told[0]!;
    const log = await logOf(dataDir, 'tenant', snapshot.sequence);
    await eventually(
      async () => all.told.at(-1)!.sequence,
      (last) => last >= log.at(-1)!.seq,
    );
    expect(all.told.map(({ kind }) => kind)).toEqual(['SNAPSHOT', ...log.map(() => 'CHANGE')]);
    expect(
      all.told.slice(1).map(({ sequence, change, tenant }) => [sequence, change, tenant.id, tenant.status]),
    ).toEqual(
      log.map(({ seq, payload }) => [
        seq,
        payload.change.toUpperCase(),
        payload.tenantId,
        payload.tenant.status.toUpperCase(),
      ]),
    );
    expect(log).toHaveLength(2 * TENANTS);
    expect(toldBefore).toBeLessThan(all.told.length);

    for (const { id, follower } of watched) {
      const [now] = follower.told as [ProvisioningTold];
      const steps = await logOf(dataDir, 'provisioning', now.sequence, id);
      await eventually(
        async () => follower.told.length,
        (length) => length > steps.length,
      );
      const seen = follower.told.slice(1);
      expect(seen.map(({ sequence, kind }) => [sequence, kind])).toEqual(steps.map(({ seq }) => [seq, 'CHANGE']));
      expect(seen.map(({ provisioning }) => lower(provisioning))).toEqual(
        steps.map(({ payload }) => lower(payload.provisioning)),
      );
      expect(follower.told.at(-1)!.provisioning.state).toBe('SUCCEEDED');
    }
    for (const follower of followers) {
      expect(follower.failure).toBeUndefined();
      expect(follower.connections).toBe(2);
      await follower.stop();
    }
    await second.end('SIGTERM');
  },
);

/** The log spells values as the database does, GraphQL in capitals. */
const lower = ({ state, steps }: ProvisioningTold['provisioning']) =>
  JSON.stringify([state, ...steps.map((step) => `${step.name} ${step.state}`)]).toLowerCase();
