import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until this process alone holds the lock file. The lock of a process that is gone is taken over.
 * @param {string} path
 * @param {() => void} onWait called once when somebody else holds it
 * @returns {Promise<() => Promise<void>>} gives the lock back
 */
export async function holdLock(path, onWait) {
  const mine = `${path}.${process.pid}`;
  // One that a killed start left may be the lock itself under its other name: never write into it.
  await rm(mine, { force: true });
  await writeFile(mine, `${process.pid} ${await startOf(process.pid)}`);
  try {
    for (let waited = false; ; waited = true) {
      // link() appears in one step with its content, so nobody ever reads a lock without its owner.
      const taken = await link(mine, path).then(
        () => true,
        (error) => {
          if (error.code === 'EEXIST') return false;
          throw error;
        },
      );
      if (taken) return () => rm(path, { force: true });
      if (await dropDeadLock(path)) continue;
      if (!waited) onWait();
      await delay(200);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/**
 * Renaming decides which of several waiters removes a dead process's lock; a living one's that came between goes back.
 * @param {string} path
 */
async function dropDeadLock(path) {
  const owner = await ownerOf(path);
  if (owner === undefined || (await isAlive(owner))) return false;
  const aside = `${path}.dead-${process.pid}`;
  await rename(path, aside).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const moved = await ownerOf(aside);
  if (moved !== undefined && (await isAlive(moved))) await rename(aside, path);
  else await rm(aside, { force: true });
  return true;
}

/** @param {string} path @returns {Promise<string | undefined>} what its owner wrote into it */
async function ownerOf(path) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * A number alone says too little: in a container the next start often has the very number of the killed one, and would wait for itself.
 * @param {string} owner
 */
async function isAlive(owner) {
  const [pid, start] = owner.split(' ');
  return start !== undefined && (await startOf(Number(pid))) === start;
}

/** When a process began (proc_pid_stat(5), field 22), which tells it from others of its number. @param {number} pid */
async function startOf(pid) {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, and may hold spaces and brackets itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
