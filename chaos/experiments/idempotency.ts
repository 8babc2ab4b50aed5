/** The same `Idempotency-Key` at once, again, with another body, and from a client that is gone before the answer. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../tests/support/actors.ts';
import { eventually } from '../../tests/support/actors.ts';
import { sql } from '../../tests/support/database.ts';
import type { Experiment, Tally } from '../experiment.ts';
import type { Two } from '../two-gateways.ts';
import { withTwoGateways } from '../two-gateways.ts';

const TENANTS = '/api/super-admin/tenants';
const AT_ONCE = 50;

interface Trial extends Two {
  key: string;
  /** What is asked for; nobody else has this slug. */
  wanted: { name: string; slug: string };
  number: number;
  tally: Tally;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
type AnyAnswer = Answer<any>;

const experiment = (name: string, how: string, body: (trial: Trial) => Promise<string[]>): Experiment => ({
  name: `idempotency-${name}`,
  fault: `the same Idempotency-Key ${how}`,
  trials: 50,
  run: (ground, tally) =>
    withTwoGateways(ground, async (two) => {
      await tally.lanes(1, tally.wanted, async (number) => {
        const key = `${name}-${number}`;
        const losses = [
          ...(await body({ ...two, key, wanted: { name: key, slug: key }, number, tally })),
          ...(await oneTenant(two, key)),
          ...(await two.installation.settled(tally.giveUpMs)),
          ...(await two.installation.check()),
        ];
        tally.add(
          1,
          losses.map((text) => `key ${key}: ${text}`),
        );
      });
    }),
});

const post = ({ key, wanted }: Trial, by: Two['here'], body: object = wanted): Promise<AnyAnswer> =>
  by.rest('POST', TENANTS, body, { 'idempotency-key': key });

/** All are the first answer. */
function oneAnswer({ installation }: Trial, answers: AnyAnswer[]): string[] {
  const said = new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`));
  const [first] = answers;
  if (first?.status === 201) installation.acknowledge(first.body, false);
  if (said.size === 1 && first!.status === 201) return [];
  return [`${said.size} answers: ${[...said].join(' and ').slice(0, 500)}`];
}

async function oneTenant({ installation }: Two, name: string): Promise<string[]> {
  const rows = await sql(installation.databaseUrl, 'select from organizations where name = $1', [name]);
  return rows.length === 1 ? [] : [`${rows.length} tenants instead of one`];
}

const atOnce = experiment('at-once', `${AT_ONCE} times at once, at two gateways`, async (trial) => {
  const { here, there, tally } = trial;
  const began = performance.now();
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) => post(trial, index % 2 ? here : there)),
  );
  tally.time('all answered', performance.now() - began);
  return oneAnswer(trial, answers);
});

const again = experiment('again', 'again later, at the other gateway', async (trial) => {
  const first = await post(trial, trial.here);
  await sleep(200 * trial.tally.chance('again', trial.number));
  return oneAnswer(trial, [first, await post(trial, trial.there), await post(trial, trial.here)]);
});

const otherBody = experiment('other-body', 'with another body, at the same time', async (trial) => {
  const other = { ...trial.wanted, name: `${trial.key} another`, slug: `${trial.key}-another` };
  const bodies = trial.tally.shuffled([trial.wanted, other], `body ${trial.number}`);
  const answers = await Promise.all([post(trial, trial.here, bodies[0]), post(trial, trial.there, bodies[1])]);
  const made = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status, body }) => status === 409 && body.code === 'idempotency_key_reused');
  for (const { body } of made) {
    trial.installation.acknowledge(body, false);
    // Either may have been first; `oneTenant` looks by this name.
    if (body.name !== trial.key) {
      await sql(trial.installation.databaseUrl, 'update organizations set name = $1 where id = $2', [
        trial.key,
        body.id,
      ]);
    }
  }
  if (made.length === 1 && refused.length === 1) return [];
  return [`answers ${answers.map(({ status, body }) => `${status} ${body.code ?? ''}`).join(' and ')}`];
});

const cut = experiment('cut', 'after a connection that was cut before the answer', async (trial) => {
  const { here, there, installation, tally, number } = trial;
  await cutOff(trial, 25 * tally.chance('cut', number));
  // What the first was at goes on; it may not even have been read.
  const answers = [await post(trial, there), await post(trial, here)];
  const losses = oneAnswer(trial, answers);
  await eventually(
    () =>
      sql(
        installation.databaseUrl,
        `select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      ),
    (rows) => rows.length === 0,
  );
  return losses;
});

/** Sends a request, and destroys its socket so many milliseconds after the last byte. */
async function cutOff({ urls, here, key, wanted }: Trial, ms: number): Promise<void> {
  const { hostname, port } = new URL(urls[0]);
  const body = JSON.stringify(wanted);
  const sent = request({
    hostname,
    port,
    method: 'POST',
    path: TENANTS,
    agent: false,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${here.token}`,
      'idempotency-key': key,
    },
  });
  sent.on('error', () => {});
  await new Promise<void>((written) => sent.end(body, () => written()));
  await sleep(ms);
  sent.destroy();
}

export const idempotency: readonly Experiment[] = [atOnce, again, otherBody, cut];
