// One process at a time, by a file that names it. Nothing but Node itself.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 200;
/** Longer than another process that takes the place of the same dead one needs between looking and doing. */
const SETTLE_MS = 500;

/**
 * Does the work while no other process has the lock. Where one has it, that is said once, and waited for; one that has died is not.
 *
 * @param lock path of a file in a folder that is there.
 * @param work is given what notes a process that it starts, by its number: that one is waited for too if it outlives this one.
 */
export async function alone(lock, work) {
  for (let told = false; ; await sleep(LOOK_MS)) {
    const holders = holdersOf(lock);
    const living = holders?.find(lives);
    if (!living) {
      if (holders ? await takeOver(lock) : take(lock)) break;
    } else if (!told) {
      told = true;
      const [pid] = living.split(' ');
      console.log(`Another set-up of this folder is under way (process ${pid}, in ${lock}): waiting for it…`);
    }
  }
  try {
    await work((pid) => write(lock, [process.pid, pid]));
  } finally {
    if (isOwn(lock)) rmSync(lock, { force: true });
  }
}

/** Linking makes it with what is in it: nobody reads it while it is empty. */
function take(lock) {
  const own = draft(lock, [process.pid]);
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Of those who do so at the same moment, the last one has it. */
async function takeOver(lock) {
  write(lock, [process.pid]);
  await sleep(SETTLE_MS);
  return isOwn(lock);
}

const write = (lock, pids) => renameSync(draft(lock, pids), lock);

function draft(lock, pids) {
  const path = `${lock}.${process.pid}`;
  writeFileSync(path, pids.map(nameOf).join('\n'));
  return path;
}

/** @returns what is in it, a line a process; undefined where nobody has it. */
function holdersOf(lock) {
  try {
    return readFileSync(lock, 'utf8').split('\n');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

const isOwn = (lock) => holdersOf(lock)?.[0] === nameOf(process.pid);

/** A number may be another process's by now, and in a container that was started anew they begin anew: when it began goes with it. */
const nameOf = (pid) => `${pid} ${beginningOf(pid)}`.trim();

/** In ticks since the machine's start. @returns '' of one that has ended, or on a system that does not tell. */
function beginningOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the command, in which there may be spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isEnded = fields[0] === 'Z';
    return isEnded ? '' : fields[19];
  } catch {
    return '';
  }
}

function lives(name) {
  const pid = Number(name.split(' ')[0]);
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  return nameOf(pid) === name;
}
