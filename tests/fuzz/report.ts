/** What was tried and what came of it, for people. */
import { cpus, totalmem } from 'node:os';
import type { Answer, Draft, Finding, Wire } from './model.ts';

interface Row {
  sent: number;
  ok: number;
  refused: Map<string, number>;
}

export class Tally {
  sent = 0;
  /** Milliseconds. */
  slowest = { ms: 0, operation: '' };
  /** By surface and actor. */
  readonly rows = new Map<string, Row>();
  /** By operation; `last` is how the last request that should do was refused. */
  readonly operations = new Map<string, { ok: number; last: string }>();
  hostile = 0;

  /** @param operations that are to be tried. */
  constructor(operations: readonly string[]) {
    for (const operation of operations) this.operations.set(operation, { ok: 0, last: 'it was not tried' });
  }

  count({ surface, actor, operation, hostile }: Draft, code: string, { ms, text }: Partial<Answer> = {}): void {
    this.sent++;
    if (hostile.length > 0) this.hostile++;
    if (ms && ms > this.slowest.ms) this.slowest = { ms, operation };
    const key = `${surface}, ${actor}`;
    const row = this.rows.get(key) ?? { sent: 0, ok: 0, refused: new Map() };
    this.rows.set(key, row);
    row.sent++;
    if (code === 'ok') row.ok++;
    else row.refused.set(code, (row.refused.get(code) ?? 0) + 1);
    const { ok, last } = this.operations.get(operation) ?? { ok: 0, last: '' };
    const refusal = hostile.length === 0 && code !== 'ok' ? `${actor}: ${text}`.slice(0, 250) : last;
    this.operations.set(operation, { ok: ok + (code === 'ok' ? 1 : 0), last: refusal });
  }

  /** Operations that no request got through to: nothing was learnt of their successes. */
  get neverOk(): string[] {
    const never = [...this.operations].filter(([, { ok }]) => ok === 0);
    return never.map(([operation, { last }]) => `${operation} (the last one: ${last})`);
  }
}

/** So many kinds of refusals are told apart. */
const KINDS = 6;

/** A Markdown table by surface and actor. */
function table({ rows }: Tally): string {
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { sent, ok, refused }]) => {
      const codes = [...refused].sort(([, a], [, b]) => b - a);
      const others = codes.slice(KINDS).reduce((sum, [, count]) => sum + count, 0);
      const told = codes.slice(0, KINDS).map(([code, count]) => `${code} ${count}`);
      return `| ${key} | ${sent} | ${ok} | ${[...told, ...(others > 0 ? [`others ${others}`] : [])].join(', ')} |`;
    });
  return ['| surface, actor | sent | done | refused |', '| --- | ---: | ---: | --- |', ...lines].join('\n');
}

interface Facts {
  seed: number;
  seconds: number;
  findings: number;
  tenants: number;
}

/** What docs/fuzzing.md says of a run. */
export function figures(tally: Tally, { seed, seconds, findings, tenants }: Facts): string {
  const { sent, hostile, slowest, operations, neverOk } = tally;
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB`;
  const count = (number: number) => number.toLocaleString('en-US');
  const reached = neverOk.length === 0 ? 'each was done at least once' : `${neverOk.length} were never done`;
  return [
    `${new Date().toISOString().slice(0, 10)}, ${machine}, Node ${process.versions.node}, PostgreSQL 18: ` +
      `${count(sent)} requests (\`--requests ${sent} --seed ${seed}\`), ${count(hostile)} of them hostile, to ${tenants} tenants on ` +
      `three servers, in ${Math.round(seconds / 60)} minutes. ${operations.size} operations were tried, and ${reached}; the slowest ` +
      `answer took ${(slowest.ms / 1000).toFixed(1)} seconds (\`${slowest.operation}\`). Findings: ${findings || 'none'}.`,
    '',
    table(tally),
  ].join('\n');
}

/** A finding with what repeats it. */
export function described({ oracle, detail, draft, wire, answer }: Finding, url: string): string {
  return [
    `${draft.operation}: does not hold: ${oracle}`,
    `  ${detail}`,
    `  by ${draft.actor}${draft.hostile.length > 0 ? `, with: ${draft.hostile.join('; ')}` : ', a request that should do'}`,
    ...(wire ? [`  ${curl(wire, url)}`] : []),
    ...(answer ? [`  answered ${answer.status} in ${Math.round(answer.ms)} ms: ${answer.text.slice(0, 400)}`] : []),
  ].join('\n');
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The request as a command; a body that is no text goes through base64. */
function curl({ method, path, headers, body }: Wire, url: string): string {
  const parts = ['curl --path-as-is -i', `-X ${method}`, quoted(`${url}${path}`)];
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (!body) return parts.join(' ');
  const text = body.toString();
  if (text.length < 4000 && Buffer.from(text).equals(body) && !text.includes('\0'))
    return `${parts.join(' ')} --data-binary ${quoted(text)}`;
  const base64 =
    body.length < 20_000
      ? body.toString('base64')
      : `${body.subarray(0, 20_000).toString('base64')} (${body.length} bytes in all)`;
  return `echo ${base64} | base64 -d | ${parts.join(' ')} --data-binary @-`;
}
