/** PostgreSQL comes to harm while requests come in. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { runningServer } from '../../src/db/embedded-cluster.ts';
import { serverUrl, sql } from '../../tests/support/database.ts';
import type { Experiment, Tally } from '../experiment.ts';
import type { Ground } from '../ground.ts';
import { Load, makeCrew, PER_SECOND } from '../load.ts';

const BEFORE_MS = 700;
/** From PostgreSQL's return until everything is done again that is asked for. */
const HEALTHY_MS = 5000;
/** So long nothing may be refused for all to be well. */
const QUIET_MS = 1500;
const GIVE_UP_MS = 60_000;
/** By when PostgreSQL is gone that was told to go. */
const GOING_MS = 5000;
/** Several times what an answer takes otherwise. */
const WAITED_MS = 100;
/** Sessions that are ended in a trial. */
const SESSIONS = 5;

interface Trial {
  ground: Ground;
  load: Load;
  databaseUrl: string;
  number: number;
  tally: Tally;
}

interface Done {
  /** Looks, once all is well again, whether any harm was done. */
  unharmed(): Promise<string[]>;
  /** When PostgreSQL went, by `performance.now()`. Absent where single sessions end: each may be one that nobody is using. */
  awaySince?: number;
}

type Harm = (trial: Trial) => Promise<Done>;

const experiment = (name: string, what: string, harm: Harm): Experiment => ({
  name,
  fault: `PostgreSQL ${what} under ${PER_SECOND} requests a second`,
  trials: 20,
  async run(ground, tally) {
    const installation = await ground.install();
    const { databaseUrl } = installation;
    const gateway = await installation.start();
    const admin = await installation.admin(gateway);
    const crew = await makeCrew(installation, () => [gateway.url], admin);
    let [outages, felt] = [0, 0];
    await tally.lanes(1, tally.wanted, async (number) => {
      let back = 0;
      let done: Done = { unharmed: async () => ['no harm was done'] };
      const load = await Load.during(crew, async (sent) => {
        await sleep(BEFORE_MS);
        done = await harm({ ground, load: sent, databaseUrl, number, tally });
        back = await answers(databaseUrl);
        await quiet(sent);
      });
      const count = countFelt(load, back, tally);
      if (done.awaySince !== undefined) {
        outages++;
        felt += count;
        tally.time('PostgreSQL away', back - done.awaySince);
      }
      const last = Math.max(back, ...load.refused.map(({ at }) => at));
      const losses = [
        ...(await done.unharmed()),
        ...load.unfit(),
        ...tally.time('done again after its return', last - back, HEALTHY_MS),
        ...tally.time('longest wait for an answer', Math.max(...load.sent.map(({ ms }) => ms))),
        ...(await installation.settled(tally.giveUpMs)),
        ...(await load.lost()),
        ...(await installation.check()),
      ];
      tally.add(
        1,
        losses.map((text) => `trial ${number}: ${text}`),
      );
    });
    if (outages > 0 && felt === 0) tally.add(0, ['no request was refused or kept waiting']);
    await ground.remove(installation);
  },
});

/** @returns how many were refused, or sent before PostgreSQL was back and kept waiting until then. */
function countFelt(load: Load, back: number, tally: Tally): number {
  const refused = load.refused.length;
  const waited = load.sent.filter(
    ({ status, at, ms }) => status !== undefined && status < 300 && at < back && at + ms > back && ms > WAITED_MS,
  ).length;
  tally.count('refused', refused);
  tally.count('kept waiting', waited);
  return refused + waited;
}

/** Waits until PostgreSQL can be signed in to. @returns when that was. */
async function answers(connectionString: string): Promise<number> {
  for (const deadline = performance.now() + GIVE_UP_MS; ; await sleep(20)) {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return performance.now();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

async function quiet(load: Load): Promise<void> {
  const since = performance.now();
  const isQuiet = () => {
    const last = Math.max(since, ...load.refused.map(({ at, ms }) => at + ms));
    return performance.now() - last > QUIET_MS;
  };
  for (const deadline = since + GIVE_UP_MS; !isQuiet() && performance.now() < deadline; ) await sleep(50);
}

const signal =
  (name: NodeJS.Signals): Harm =>
  async ({ ground, load }) => {
    const { pid } = (await runningServer(ground.dataDir))!;
    const wentOn = async () => (await runningServer(ground.dataDir))?.pid === pid;
    // The next commit that waits for the disk takes an earlier one that did not along: it has no time to come.
    await load.written();
    const awaySince = performance.now();
    process.kill(pid, name);
    // It is still there for some milliseconds.
    while ((await wentOn()) && performance.now() - awaySince < GOING_MS) await sleep(5);
    return { unharmed: async () => ((await wentOn()) ? ['PostgreSQL went on'] : []), awaySince };
  };

/** Ends some sessions as an operator would; in every other trial one is killed, on which the server ends all of them. */
const endSessions: Harm = async ({ databaseUrl, number, tally }) => {
  const chosen: number[] = [];
  for (let count = 0; count < SESSIONS; count++) {
    const sessions = await sql<{ pid: number }>(
      serverUrl('postgres', databaseUrl),
      `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by pid`,
    );
    const session = sessions[Math.floor(tally.chance('session', number, count) * sessions.length)];
    const last = count === SESSIONS - 1;
    if (session) {
      process.kill(session.pid, last && number % 2 === 1 ? 'SIGKILL' : 'SIGTERM');
      chosen.push(session.pid);
    }
    await sleep(150);
  }
  const unharmed = async () => {
    const text = 'select from pg_stat_activity where pid = any ($1)';
    const left = await sql(serverUrl('postgres', databaseUrl), text, [chosen]);
    return chosen.length - left.length === SESSIONS ? [] : [`${chosen.length - left.length} sessions were ended`];
  };
  return { unharmed };
};

// SIGINT: the server's fast shutdown. It is started again at once.
export const restart = experiment('postgres-restart', 'restarted', signal('SIGINT'));
export const kill = experiment('postgres-kill', 'killed', signal('SIGKILL'));
export const sessions = experiment('postgres-sessions', 'sessions ended and killed', endSessions);
