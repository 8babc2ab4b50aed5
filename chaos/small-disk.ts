/** A disk of its own for new databases, in memory, whose size can be changed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverAccount } from '../src/db/server-account.ts';

const MIB = 2 ** 20;

function run(command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `${command}: ${(stderr || String(error)).trim()}`;
}

/** @returns why this machine cannot have one. */
export function noSmallDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'a small disk can only be mounted by root';
  const folder = mkdtempSync(join(tmpdir(), 'omnistream-disk-'));
  const failure = run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder) ?? run('umount', folder);
  rmdirSync(folder);
  return failure && `a small disk cannot be mounted here (${failure})`;
}

export class SmallDisk {
  readonly folder: string;

  /** @throws when it cannot be mounted. */
  constructor(parent: string, mib: number) {
    this.folder = join(parent, 'small-disk');
    mkdirSync(this.folder);
    const account = serverAccount()!;
    const options = `size=${mib}m,mode=0700,uid=${account.uid},gid=${account.gid}`;
    const failure = run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', this.folder);
    if (failure) throw new Error(failure);
  }

  /** Leaves so much room on it, in MiB. */
  leave(mib: number): void {
    const { blocks, bfree, bsize } = statfsSync(this.folder);
    const used = Math.ceil(((blocks - bfree) * bsize) / MIB);
    const failure = run('mount', '-o', `remount,size=${used + mib}m`, this.folder);
    if (failure) throw new Error(failure);
  }

  remove(): void {
    // What has a file of it open keeps it for as long.
    run('umount', '--lazy', this.folder);
    rmdirSync(this.folder);
  }
}
