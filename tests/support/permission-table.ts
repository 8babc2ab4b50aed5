/** The table of permissions as it is committed. */
import { readFileSync } from 'node:fs';

/** An operation of the schema. */
export interface Row {
  name: string;
  kind: 'query' | 'mutation' | 'subscription';
  /** `METHOD path` of each. */
  routes: string[];
  /** What is demanded, in the table's words. */
  demands: string;
  /** The permission that is demanded; empty where it is none of a role's. */
  permission: string;
  /** Actor and cell. */
  cells: [actor: string, cell: string][];
}

/** Reads docs/permissions.md. */
export function permissionTable(): Row[] {
  const page = readFileSync(new URL('../../docs/permissions.md', import.meta.url), 'utf8');
  const [header, ...lines] = page
    .split('\n')
    .filter((line) => line.startsWith('| operation') || / `\w+` \| /.test(line));
  const [, , , ...actors] = cellsOf(header!).slice(0, -1);
  return lines.map((line) => {
    const [operation, rest, demands = '', ...cells] = cellsOf(line);
    const [, kind, name] = /^(\w+) `(\w+)`$/.exec(operation!)!;
    const routes = [...rest!.matchAll(/`([^`]+)`/g)].map(([, route]) => route!);
    const permission = /`([^`]+)`/.exec(demands)?.[1] ?? '';
    const named = actors.map((actor, at): [string, string] => [actor, cells[at]!]);
    return { kind: kind as Row['kind'], name: name!, routes, demands, permission, cells: named };
  });
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
