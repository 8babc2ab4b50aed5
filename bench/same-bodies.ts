/** Servers that are compared answer the same, byte for byte: an answer that lacks something is quick. */

import type { ServerName } from './fleet.ts';
import type { Bench } from './workloads/workload.ts';

export interface Question {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** What one server is asked, and what of an answer is compared, where not all of it is. */
export interface Asked {
  server: ServerName;
  questions: Question[];
  pick?: (body: string) => string;
}

/** Holds the others' answers to the first one's. @throws where two differ, with the place. */
export async function sameBodies({ fleet }: Bench, asked: Asked[]): Promise<void> {
  const answered: string[][] = [];
  for (const { server, questions, pick = (body: string) => body } of asked) {
    const { url } = await fleet.server(server);
    const bodies: string[] = [];
    for (const question of questions) bodies.push(await answerTo(url, question, pick));
    answered.push(bodies);
  }
  const [expected, ...others] = answered;
  for (const [index, bodies] of others.entries()) {
    for (const [place, body] of bodies.entries()) {
      difference(asked[0]!.server, expected![place]!, asked[index + 1]!.server, body);
    }
  }
}

async function answerTo(url: string, { method, path, headers, body }: Question, pick: (body: string) => string) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  // Apollo ends a body with a line's end.
  return `${response.status} ${pick((await response.text()).trimEnd())}`;
}

function difference(one: string, expected: string, other: string, found: string): void {
  if (expected === found) return;
  let at = 0;
  while (expected[at] === found[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 60), at + 60);
  throw new Error(
    `${other} does not answer as ${one}, from place ${at} on:\n  ${one}: ${around(expected)}\n  ${other}: ${around(found)}`,
  );
}
