/** A PostgreSQL server that hangs: its connections stay open, and nothing is answered. */
import { readdirSync, readFileSync } from 'node:fs';
import { sql } from './database.ts';

/** @returns what freezes the server, and what lets it go on. */
export async function freezer(url: string): Promise<{ freeze(): void; thaw(): void }> {
  const [row] = await sql<{ pid: number }>(
    url,
    `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
  );
  const { pid } = row!;
  const signal = (name: NodeJS.Signals) => {
    // No new process before the others are known.
    process.kill(pid, name);
    for (const child of childrenOf(pid)) signalIfThere(child, name);
  };
  return { freeze: () => signal('SIGSTOP'), thaw: () => signal('SIGCONT') };
}

/** One that goes on may end by itself before it is told. */
function signalIfThere(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

/** Undefined of a process that is gone by now. */
function parentOf(pid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
  } catch {
    return undefined;
  }
}
