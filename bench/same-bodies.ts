/** Servers that are compared answer the same, byte for byte: an answer that lacks something is quick. */

import type { ServerName } from './fleet.ts';
import type { Bench } from './workloads/workload.ts';

export interface Question {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * @param pick what is compared of an answer, where something in it is nobody's fault, such as the time of a change.
 * @throws where two differ, with the place.
 */
export async function sameBodies(
  { fleet }: Bench,
  servers: ServerName[],
  questions: Question[],
  pick: (body: string) => string = (body) => body,
): Promise<void> {
  const answered = new Map<ServerName, string[]>();
  for (const name of servers) {
    const { url } = await fleet.server(name);
    const bodies: string[] = [];
    for (const { method, path, headers, body } of questions) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      // Apollo ends a body with a line's end.
      bodies.push(`${response.status} ${pick((await response.text()).trimEnd())}`);
    }
    answered.set(name, bodies);
  }
  const [first, ...others] = servers;
  for (const other of others) {
    for (const [index, body] of answered.get(other)!.entries())
      difference(first!, answered.get(first!)![index]!, other, body);
  }
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
