/** Servers that answer the same questions: first that they answer them alike, then how fast. */
import type { ServerName } from '../fleet.ts';
import { request } from '../load/load.ts';
import { type SideBySide, sideBySide } from '../rounds.ts';
import { type Question, sameBodies } from '../same-bodies.ts';
import type { Bench, Outcome } from './workload.ts';

/** Different requests that are sent in turn; and those whose answers are compared first. */
const REQUESTS = 4000;
const COMPARED = 40;

export interface Dialect {
  question: (original: Question) => Question;
  pick: (body: string) => string;
}

export interface Comparison {
  servers: ServerName[];
  /** One of those that are sent. */
  question: (index: number) => Question;
  /** How a server is asked the same that has to be asked otherwise, and its answer in the others' form. */
  others?: Partial<Record<ServerName, Dialect>>;
  /** The least ratio of the gateway's requests a second to a server's. */
  goals: Partial<Record<ServerName, number>>;
  /** What is compared of an answer, where something in it is of its moment. */
  pick?: (body: string) => string;
  /** That every answer has; 200. */
  status?: number;
  before?: SideBySide['before'];
}

/** Of a core that the server could have had for itself; less where PostgreSQL makes it wait, as for each commit. */
const BUSY_ENOUGH = 0.7;
const DISTURBED =
  'The gateway had its core for little of the time, waiting for PostgreSQL or for what else the machine did: "by CPU" says more.';

/** @param name of the measurement, which no other one has. */
export async function compare(
  bench: Bench,
  name: string,
  { servers, question, others = {}, goals, pick, status, before }: Comparison,
): Promise<Required<Outcome>> {
  const questions = Array.from({ length: REQUESTS }, (_, index) => question(index));
  const asked = (server: ServerName) => questions.map((one) => others[server]?.question(one) ?? one);
  const compared = servers.map((server) => ({
    server,
    questions: asked(server).slice(0, COMPARED),
    pick: others[server]?.pick ?? pick,
  }));
  await sameBodies(bench, compared);
  const requests = (server: ServerName) =>
    asked(server).map(({ method, path, headers, body }) => request(method, path, headers, body));
  const measured = await sideBySide(bench, { workload: name, servers, requests, status, before });
  const findings = Object.entries(goals).map(([server, value]) => ({
    what: `to ${server}`,
    value: measured[server]!.ratio,
    goal: { at: 'least' as const, value },
  }));
  const disturbed = measured.gateway!.busy < BUSY_ENOUGH;
  return { loads: [{ title: name, servers: measured }], findings, notes: disturbed ? [DISTURBED] : [] };
}

export const signedIn = ({ platform }: Bench) => ({ authorization: `Bearer ${platform.admin.token}` });

export const oneOf = <T>(values: T[]): T => values[Math.floor(Math.random() * values.length)]!;
