/** Many want the same thing, and one may have it. */
import pg from 'pg';
import { Actor, eventually, superAdmin } from '../../tests/support/actors.ts';
import { sql } from '../../tests/support/database.ts';
import type { Experiment, Tally } from '../experiment.ts';
import { type Two, withTwoGateways } from '../two-gateways.ts';

const TENANTS = '/api/super-admin/tenants';
const ADMINS = '/api/super-admin/admins';
const SLUG_RACERS = 100;
const AGENT_RACERS = 8;
/** Room that is left in the raced limit. */
const LEFT = 1;

const experiment = (
  name: string,
  fault: string,
  prepare: (two: Two) => Promise<(number: number, tally: Tally) => Promise<string[]>>,
): Experiment => ({
  name: `race-${name}`,
  fault,
  trials: 50,
  run: (ground, tally) =>
    withTwoGateways(ground, async (two) => {
      const race = await prepare(two);
      await tally.lanes(1, tally.wanted, async (number) => {
        const losses = [
          ...(await race(number, tally)),
          ...(await two.installation.settled(tally.giveUpMs)),
          ...(await two.installation.check()),
        ];
        tally.add(
          1,
          losses.map((text) => `race ${number}: ${text}`),
        );
      });
    }),
});

/** @returns what is wrong, unless so many have won and all others have lost in this way. */
function winners(answers: { status: number; body?: { code?: string } }[], won: number, many: number, lost: RegExp) {
  const outcomes = answers.map(({ status, body }) => `${status} ${body?.code ?? ''}`.trim());
  const ok = outcomes.filter((outcome) => outcome === String(won)).length;
  const others = outcomes.filter((outcome) => outcome !== String(won) && !lost.test(outcome));
  return ok === many && others.length === 0
    ? []
    : [`${ok} winners instead of ${many}; others: ${[...new Set(others)]}`];
}

const slug = experiment('slug', `one slug wanted by ${SLUG_RACERS} at once`, async ({ installation, here, there }) => {
  return async (number, tally) => {
    const began = performance.now();
    const answers = await Promise.all(
      Array.from({ length: SLUG_RACERS }, (_, index) =>
        (index % 2 ? here : there).rest('POST', TENANTS, { name: `Racer ${index}`, slug: `raced-${number}` }),
      ),
    );
    tally.time('all answered', performance.now() - began);
    for (const { status, body } of answers) if (status === 201) installation.acknowledge(body, false);
    return winners(answers, 201, 1, /^409 slug_taken$/);
  };
});

const admins = experiment('admins', 'two super admins who delete each other', async ({ installation, here, urls }) => {
  const make = async (email: string) => {
    const account = { email, password: 'a password of theirs' };
    const { status, body } = await here.rest('POST', ADMINS, { ...account, name: 'Racer' });
    if (status !== 201) throw new Error(`no account was made: ${JSON.stringify(body)}`);
    return { id: body.id as string, account };
  };
  return async (number, tally) => {
    const pair = [await make(`a-${number}@platform.test`), await make(`b-${number}@platform.test`)] as const;
    const one = await superAdmin({ url: urls[0] }, pair[0].account);
    const other = await superAdmin({ url: urls[1] }, pair[1].account);
    const answers = await bothWaiting(installation.databaseUrl, tally.giveUpMs, () => [
      one.rest('DELETE', `${ADMINS}/${pair[1].id}`),
      other.rest('DELETE', `${ADMINS}/${pair[0].id}`),
    ]);
    const { body: left } = await here.rest('GET', ADMINS);
    const standing = pair.filter(({ id }) => (left as { id: string }[]).some((admin) => admin.id === id));
    const losses = winners(answers, 200, 1, /^(401 unauthenticated|404 not_found)$/);
    if (standing.length !== 1) losses.push(`${standing.length} of the two are left`);
    for (const { id } of standing) await here.rest('DELETE', `${ADMINS}/${id}`);
    return losses;
  };
});

/** Lets two begin what needs the rows of super admins, and go on once both wait for these: neither is ahead by chance. */
async function bothWaiting<T>(databaseUrl: string, ms: number, begin: () => Promise<T>[]): Promise<T[]> {
  const holder = new pg.Client({ connectionString: databaseUrl });
  await holder.connect();
  try {
    await holder.query('begin; select from super_admins for update');
    const under = begin();
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(
      () => sql(databaseUrl, waiting),
      (rows) => rows.length >= under.length,
      ms,
    );
    await holder.query('commit');
    return await Promise.all(under);
  } finally {
    await holder.end();
  }
}

const limits = experiment(
  'limits',
  `the last place of a limit wanted by ${AGENT_RACERS} at once`,
  async ({ installation, here, urls }) => {
    const [tenant] = await installation.makeTenants(here, 1);
    const admin = await installation.agentOf({ url: urls[0] }, tenant!.slug);
    const elsewhere = new Actor(urls[1], admin.token);
    let agents = 1;
    return async (number) => {
      const limit = agents + LEFT;
      await here.rest('PATCH', `${TENANTS}/${tenant!.id}`, { limits: { max_agents: limit } });
      await installation.jobsDone('tenant.apply-limits');
      const answers = await Promise.all(
        Array.from({ length: AGENT_RACERS }, (_, index) =>
          (index % 2 ? admin : elsewhere).rest('POST', '/api/agents', {
            email: `racer-${number}-${index}@${tenant!.slug}.test`,
            full_name: 'Racer',
            password: 'a password of a racer',
          }),
        ),
      );
      const { body } = await admin.rest('GET', '/api/agents?limit=500');
      const losses = winners(answers, 201, LEFT, /^409 limit_reached$/);
      agents = (body as unknown[]).length;
      if (agents !== limit) losses.push(`${agents} agents under a limit of ${limit}`);
      return losses;
    };
  },
);

export const races: readonly Experiment[] = [slug, admins, limits];
