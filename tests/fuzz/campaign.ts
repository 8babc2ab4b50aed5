/** Draws requests batch by batch, sends them, and holds what comes back, and what is in the databases, to the promises. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import pLimit from 'p-limit';
import { type Databases, differences, type Fingerprint, JOBS, newestJobs } from './fingerprint.ts';
import { hostile, oversized } from './hostilities.ts';
import type { Answer, Draft, Finding, Judgement, Operation, Problem, Target, Wire } from './model.ts';
import { judge, type Promises } from './oracles.ts';
import { Tally } from './report.ts';
import { secretsInLog } from './secrets.ts';
import { Sender } from './send.ts';
import type { World } from './world.ts';

const BATCH = 150;
const AT_ONCE = 12;
/** After so long what a gateway has logged can be read. */
const LOG_MS = 300;
/** Of so many batches one is of requests that are too large, and small. */
const OVERSIZED_EVERY = 50;
const OVERSIZED = 5;
/** What hashes a password, stays open, or ends what has to be set up again: tried less often, for the time that it takes. */
const COSTLY =
  /login|register$|password|POST .*\/(agents|admins|users|tenants|cancel)$|createAgent|create\w+Admin|provisionTenant|cancel(Upgrade|Provisioning)|^subscription/i;
/** What begins work that takes seconds, and is waited for. */
const LONG =
  /POST .*\/(exports|move|undo|finish|archive|unarchive|resume)$|export(Data|Tenant)$|moveTenant|undo|finish|rchiveTenant|resumeUpgrade/i;
const weightOf = ({ key }: Operation) => (LONG.test(key) ? 1 : COSTLY.test(key) ? 2 : 10);
/** What may shut somebody out. */
const SHUTTING =
  /logout|session|delete|suspend|update(agent|role|tenant)|agents|roles|admins|users|tenants|endOther|register|reset|impersonation|superAdmin|archive|purge|move/i;

export interface CampaignOptions {
  seed: number;
  requests: number;
  /** What has no answer by then hangs. */
  patienceMs?: number;
  /** What was begun in the background and has not ended by then hangs. */
  settleMs?: number;
  /** Told after each batch. */
  progress?(tally: Tally, findings: number): void;
  /** Whether to end before the next batch. */
  stopped?(): boolean;
}

const STREAM = '/graphql/stream';
/** Of a body, in bytes: the answer that it is too large may come while it is still being sent. */
const FAR_TOO_MUCH = 256 * 1024;

interface Sent {
  draft: Draft;
  wire: Wire;
  answer?: Answer;
  judgement: Judgement;
}

export class Campaign {
  readonly #target: Target;
  readonly #world: World;
  readonly #databases: Databases;
  readonly #operations: readonly Operation[];
  readonly #promises: Promises;
  #sender!: Sender;
  #settleMs?: number;
  readonly #findings: Finding[] = [];
  /** Of the batch before. */
  #former: readonly Sent[] = [];
  readonly #atOnce = pLimit(AT_ONCE);

  constructor(
    target: Target,
    world: World,
    databases: Databases,
    operations: readonly Operation[],
    promises: Promises,
  ) {
    this.#target = target;
    this.#world = world;
    this.#databases = databases;
    this.#operations = operations;
    this.#promises = promises;
  }

  async run({
    seed,
    requests,
    patienceMs,
    settleMs,
    progress,
    stopped,
  }: CampaignOptions): Promise<{ tally: Tally; findings: Finding[] }> {
    const tally = new Tally(this.#operations.map(({ key }) => key));
    this.#sender = new Sender(this.#target.url, patienceMs);
    this.#settleMs = settleMs;
    const valid = fc.oneof(
      ...this.#operations.map((operation) => ({ weight: weightOf(operation), arbitrary: operation.valid })),
    );
    const kinds = { valid, hostile: hostile(valid), oversized: oversized(valid) };
    this.#target.log();
    for (let number = 0; tally.sent < requests && !stopped?.(); number++) {
      const kind = number % OVERSIZED_EVERY === 9 ? 'oversized' : number % 2 === 0 ? 'hostile' : 'valid';
      const size = Math.min(kind === 'oversized' ? OVERSIZED : BATCH, requests - tally.sent);
      await this.#batch(kinds[kind], { seed: (seed + number) | 0, size }, tally);
      progress?.(tally, this.#findings.length);
    }
    await sleep(LOG_MS);
    this.#readLog(this.#former);
    this.#sender.close();
    return { tally, findings: this.#findings };
  }

  async #batch(
    drafts: fc.Arbitrary<Draft>,
    { seed, size }: { seed: number; size: number },
    tally: Tally,
  ): Promise<void> {
    const drawn = fc
      .sample(
        fc.asyncProperty(drafts, async () => {}),
        { seed, numRuns: size },
      )
      .map(([draft]) => draft as Draft);
    const before = await this.#databases.fingerprint();
    const sent = await this.#sendAll(drawn);
    for (const one of sent) tally.count(one.draft, one.judgement.code, one.answer);
    const wrote = sent.filter(({ draft, judgement }) => !judgement.refused && changes(draft));
    const isSettled = wrote.length === 0 || (await this.#settle(wrote));
    const after = await this.#databases.fingerprint();
    if (wrote.some(created) && differences(before, after).length === 0) {
      this.#found({
        oracle: 'what is created is there',
        detail: 'nothing changed in any database',
        ...wrote.find(created)!,
      });
    }
    if (isSettled) {
      await this.#unchanged(
        sent.filter(({ judgement }) => judgement.refused),
        wrote.length > 0 ? after : before,
        after,
        wrote.length > 0,
      );
    }
    await this.#report(drafts, seed, sent);
    this.#readLog(sent);
    if (wrote.some(({ draft }) => SHUTTING.test(draft.operation))) await this.#world.mend();
    if (wrote.length > 0) {
      await this.#world.lookAfter();
      await this.#world.settle();
      await this.#world.refresh();
    }
  }

  /** @returns whether what these requests have begun came to its end. */
  async #settle(begun: readonly Sent[]): Promise<boolean> {
    const left = await this.#world.settle(this.#settleMs);
    if (left.length > 0)
      this.#found({
        oracle: 'what is begun comes to its end',
        detail: `not ended: ${left.join(', ')}`,
        ...begun[0]!,
      });
    return left.length === 0;
  }

  /** @param again whether the refused have to be sent once more, because others of the batch were let through. */
  async #unchanged(refused: Sent[], before: Fingerprint, after: Fingerprint, again: boolean): Promise<void> {
    let [from, to, those] = [before, after, refused];
    if (again) {
      for (let round = 0; round < 3 && those.length > 0; round++) {
        const repeated = await this.#repeat(those);
        const still = repeated.filter(({ judgement }) => judgement.refused);
        if (still.length < those.length && !(await this.#settle(repeated))) return;
        from = to;
        to = await this.#databases.fingerprint();
        // What was let through this time may have changed things: without those, once more.
        if (still.length === those.length) break;
        [those, from] = [still, to];
      }
    }
    const changed = differences(from, to);
    if (changed.length > 0) await this.#nameCulprits(those, changed);
  }

  async #nameCulprits(those: Sent[], changed: string[]): Promise<void> {
    const detail = `changed: ${changed.join(', ')}`;
    const culprits = await this.#culpritsAmong(those);
    const oracle = 'nothing is changed by a refused request';
    for (const culprit of culprits) this.#found({ oracle, detail, ...culprit });
    // It changed while these were sent, and does not when they are sent again.
    if (culprits.length === 0 && those[0]) {
      const jobs = changed.includes(JOBS) ? ` (the newest: ${await newestJobs(this.#databases)})` : '';
      this.#found({ oracle, detail: `${detail}${jobs}; by one of ${those.length} requests, not again`, ...those[0] });
    }
  }

  /** By halves; those that change something only together with others are not found. */
  async #culpritsAmong(those: Sent[]): Promise<Sent[]> {
    const before = await this.#databases.fingerprint();
    await this.#repeat(those);
    if (differences(before, await this.#databases.fingerprint()).length === 0) return [];
    if (those.length === 1) return those;
    const half = Math.ceil(those.length / 2);
    return [...(await this.#culpritsAmong(those.slice(0, half))), ...(await this.#culpritsAmong(those.slice(half)))];
  }

  #sendAll(drafts: readonly Draft[]): Promise<Sent[]> {
    return Promise.all(drafts.map((draft) => this.#atOnce(() => this.#send(draft))));
  }

  /** The same bytes again. */
  #repeat(those: readonly Sent[]): Promise<Sent[]> {
    return Promise.all(those.map(({ draft, wire }) => this.#atOnce(() => this.#send(draft, wire))));
  }

  async #send(draft: Draft, wire = this.#world.render(draft)): Promise<Sent> {
    const answer = await this.#sender.send(wire);
    if ('failure' in answer) {
      // Whoever is shut out while they begin to follow hears nothing more, nor does who is still sending far too much.
      const cutOff = draft.path === STREAM || (wire.body?.length ?? 0) > FAR_TOO_MUCH;
      if (cutOff && ['ECONNRESET', 'EPIPE'].includes(answer.failure)) {
        return { draft, wire, judgement: { code: 'cut off', refused: true, problems: [] } };
      }
      const problems: Problem[] = [{ oracle: 'every request is answered', detail: answer.failure }];
      return { draft, wire, judgement: { code: 'no answer', refused: false, problems } };
    }
    return { draft, wire, answer, judgement: judge(draft, wire, answer, this.#promises) };
  }

  async #report(drafts: fc.Arbitrary<Draft>, seed: number, sent: readonly Sent[]): Promise<void> {
    for (const [index, one] of sent.entries()) {
      for (const problem of one.judgement.problems) {
        if (this.#knows(problem, one.draft)) continue;
        this.#found({ ...problem, ...((await this.#shrunk(drafts, seed, index, problem.oracle)) ?? one) });
      }
    }
  }

  /** The smallest request that fast-check finds to go wrong as this one did. */
  async #shrunk(drafts: fc.Arbitrary<Draft>, seed: number, index: number, oracle: string): Promise<Sent | undefined> {
    const goesWrong = ({ judgement }: Sent) => judgement.problems.some((problem) => problem.oracle === oracle);
    const property = fc.asyncProperty(drafts, async (draft) => !goesWrong(await this.#send(draft)));
    const run = await fc.check(property, { seed, path: String(index), numRuns: 1, interruptAfterTimeLimit: 3000 });
    const [draft] = run.counterexample ?? [];
    const again = draft && (await this.#send(draft));
    return again && goesWrong(again) ? again : undefined;
  }

  #readLog(sent: readonly Sent[]): void {
    for (const line of this.#target.log()) {
      if (this.#world.expects(line)) continue;
      const secret = secretsInLog(line, this.#promises.secrets);
      const loud = /"level":[56]0/.test(line)
        ? { oracle: 'no error in the log', detail: line.slice(0, 600) }
        : undefined;
      const problem = secret ?? loud;
      // Lines are written a moment after their answers.
      const by = [...sent, ...this.#former].find(({ answer }) =>
        line.includes(String(answer?.headers['x-request-id'])),
      );
      if (problem) this.#found({ ...problem, ...(by ?? sent[0]!) });
    }
    this.#former = sent;
  }

  #knows({ oracle }: Problem, { operation }: Draft): boolean {
    return this.#findings.some((one) => one.oracle === oracle && one.draft.operation === operation);
  }

  #found(finding: Finding): void {
    if (!this.#knows(finding, finding.draft)) this.#findings.push(finding);
  }
}

/** Whether a request is one that changes something where it is let through. */
function changes({ surface, method, body, operation }: Draft): boolean {
  // A token is a new session, and who fetches an export is in the audit log.
  if (surface === 'REST') return !['GET', 'HEAD', 'OPTIONS'].includes(method) || /auth\/token|download/.test(operation);
  return operation.startsWith('mutation') || /mutation/.test(JSON.stringify(body ?? ''));
}

const created = ({ answer, judgement }: Sent): boolean =>
  judgement.code === 'ok' && answer?.status === 201 && answer.headers['idempotent-replayed'] === undefined;
