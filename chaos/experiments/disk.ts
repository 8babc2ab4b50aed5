/** The disk is nearly full when a tenant is to be made. */
import { type Actor, active, eventually } from '../../tests/support/actors.ts';
import { serverUrl, sql } from '../../tests/support/database.ts';
import type { Experiment, Tally } from '../experiment.ts';
import type { Installation } from '../installation.ts';
import { noSmallDisk, SmallDisk } from '../small-disk.ts';

/** MiB: enough for what is there, and not for another database. */
const [ROOM, NEARLY_FULL] = [400, 30];
/** Tenants that may still be made without a new database, of which some are kept prepared. */
const MOST = 20;
const WRITES = 10;
const HEALED_MS = 10_000;

const PROVISIONING = `query ($id: UUID!) { tenant(id: $id) { status provisioning { state steps { name error } } } }`;

export const disk: Experiment = {
  name: 'disk',
  fault: 'disk nearly full when a tenant is made',
  trials: 10,
  unable: noSmallDisk,
  async run(ground, tally) {
    const small = new SmallDisk(ground.folder, ROOM);
    try {
      const installation = await ground.install();
      const server = serverUrl('postgres', installation.databaseUrl);
      await sql(server, `create tablespace small location '${small.folder}'`);
      const gateway = await installation.start();
      await moveTemplate(installation, server);
      const admin = await installation.admin(gateway);
      const [first] = await installation.makeTenants(admin, 1);
      const agent = await installation.agentOf(gateway, first!.slug);
      await tally.lanes(1, tally.wanted, async (number) => {
        const losses = await fill({ installation, small, admin, agent, tally, number });
        losses.push(...(await installation.settled(tally.giveUpMs)), ...(await installation.check()));
        tally.add(
          1,
          losses.map((text) => `trial ${number}: ${text}`),
        );
      });
      await ground.remove(installation);
      await sql(server, 'drop tablespace small');
    } finally {
      await ground.clear();
      small.remove();
    }
  },
};

/** A copy of it is made where it is. */
async function moveTemplate({ databaseUrl }: Installation, server: string): Promise<void> {
  const [template] = await sql<{ name: string }>(
    databaseUrl,
    `select datname as name from pg_database, installation where starts_with(datname, 't_' || code || '_template_')`,
  );
  await sql(server, `alter database "${template!.name}" set tablespace small`);
}

interface Trial {
  installation: Installation;
  small: SmallDisk;
  admin: Actor;
  agent: Actor;
  tally: Tally;
  number: number;
}

async function fill({ installation, small, admin, agent, tally, number }: Trial): Promise<string[]> {
  small.leave(NEARLY_FULL);
  const losses: string[] = [];
  let refused: { id: string; reason: string } | undefined;
  for (let made = 0; made < MOST && !refused; made++) {
    const { status, body } = await installation.post(admin);
    if (status !== 201) losses.push(`a tenant was answered ${status}`);
    const { tenant } = await outcome(admin, body.id);
    const failed = tenant.provisioning.steps.find(({ error }) => error);
    if (failed) refused = { id: body.id, reason: `${failed.name}: ${failed.error}` };
  }
  if (!refused) losses.push(`${MOST} tenants were made on a disk that is nearly full`);
  else if (!/disk .+ nearly full: \d+ MiB are free/.test(refused.reason)) losses.push(`the reason: ${refused.reason}`);
  for (let write = 0; write < WRITES; write++) {
    const { status } = await agent.rest('POST', '/api/divisions', { name: `full ${number} ${write}` });
    if (status !== 201) losses.push(`another tenant's write was answered ${status}`);
  }
  losses.push(...(await installation.check()));
  small.leave(ROOM);
  if (refused) {
    const healing = performance.now();
    await admin.graphql('mutation ($id: UUID!) { retryProvisioning(tenantId: $id) { status } }', { id: refused.id });
    await active(admin, refused.id, tally.giveUpMs);
    losses.push(...tally.time('healed', performance.now() - healing, HEALED_MS));
  }
  return losses;
}

interface Provisioning {
  tenant: { status: string; provisioning: { state: string; steps: { name: string; error: string | null }[] } };
}

/** Waits until the tenant is active or has failed. */
async function outcome(admin: Actor, id: string): Promise<Provisioning> {
  const { data } = await eventually(
    () => admin.graphql<Provisioning>(PROVISIONING, { id }),
    ({ data }) => data.tenant.status === 'ACTIVE' || data.tenant.provisioning.steps.some(({ error }) => error),
    30_000,
  );
  return data;
}
