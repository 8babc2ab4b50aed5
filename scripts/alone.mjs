// One process at a time, by a file that names it. Nothing but Node itself.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const LOOK_MS = 200;
/** Longer than another process that takes the place of the same dead one needs between looking and doing. */
const SETTLE_MS = 500;

/** Blocking, as everything here is. */
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/**
 * Does the work while no other process has the lock. Where one has it, that is said once, and waited for; one that has died is not.
 *
 * @param lock path of a file in a folder that is there.
 * @param marks what stands in the command lines of those who take it: a number may be another process's by now.
 */
export function alone(lock, marks, work) {
  for (let told = false; !take(lock); sleep(LOOK_MS)) {
    const holder = holderOf(lock);
    if (holder === undefined) continue;
    if (!lives(holder, marks)) {
      if (takeOver(lock)) break;
    } else if (!told) {
      told = true;
      console.log(`Another set-up of this folder is under way (process ${holder}, in ${lock}): waiting for it…`);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** Of those who do so at the same moment, the last one has it. */
function takeOver(lock) {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, `${process.pid}`);
  renameSync(own, lock);
  sleep(SETTLE_MS);
  return holderOf(lock) === process.pid;
}

/** @returns 0 of one that is just writing its number; undefined where nobody has it. */
function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

function lives(pid, marks) {
  // In a container that was started anew, numbers begin anew.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  try {
    return pid === 0 || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marks);
  } catch {
    // There are systems without that.
    return true;
  }
}
