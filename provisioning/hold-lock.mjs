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
  await writeFile(mine, String(process.pid));
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
  if (owner === undefined || isAlive(owner)) return false;
  const aside = `${path}.dead-${process.pid}`;
  await rename(path, aside).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const moved = await ownerOf(aside);
  if (moved !== undefined && isAlive(moved)) await rename(aside, path);
  else await rm(aside, { force: true });
  return true;
}

/** @param {string} path @returns {Promise<number | undefined>} */
async function ownerOf(path) {
  try {
    return Number(await readFile(path, 'utf8'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
