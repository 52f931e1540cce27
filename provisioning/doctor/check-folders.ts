import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Finding } from './finding.ts';

/**
 * The folders of a box: who may enter them, and that a copy of the data does not carry its own keys.
 * A folder that is not there yet is made at the first start.
 */
export function checkFolders(config: {
  readonly dataDir: string;
  readonly keyDir: string;
  readonly keyringReplicaDir?: string | undefined;
  readonly tenants: readonly { readonly id: string }[];
}): Finding[] {
  return [
    checkFolder('data folder', config.dataDir),
    checkFolder('key folder', config.keyDir),
    checkApart(config.dataDir, config.keyDir),
    ...(config.keyringReplicaDir === undefined ? [] : [checkReplica(config.keyringReplicaDir, config.dataDir)]),
    ...config.tenants.map(({ id }) => checkKeyFile(id, config.dataDir, config.keyDir)),
  ];
}

function checkFolder(check: string, folder: string): Finding {
  if (!existsSync(folder)) return checkPlaceOf(check, folder);
  const status = statSync(folder);
  if (!status.isDirectory()) return { check, state: 'fail', message: `${folder} is not a folder`, next: 'Choose another one.' };
  const mode = (status.mode & 0o777).toString(8);
  if (status.uid !== process.getuid?.()) {
    return { check, state: 'fail', message: `${folder} belongs to another user`, next: 'Run as the user of the daemon, or chown it.' };
  }
  if ((status.mode & 0o022) !== 0) {
    return { check, state: 'fail', message: `others may write to ${folder} (mode ${mode})`, next: `chmod 700 ${folder}` };
  }
  if ((status.mode & 0o055) !== 0) {
    return { check, state: 'warn', message: `others may look into ${folder} (mode ${mode})`, next: `chmod 700 ${folder}` };
  }
  return { check, state: 'ok', message: `${folder} (mode ${mode})` };
}

/** A folder that is not there yet must be one that this user can make. */
function checkPlaceOf(check: string, folder: string): Finding {
  let place = dirname(resolve(folder));
  while (!existsSync(place)) place = dirname(place);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return { check, state: 'ok', message: `${folder} is made at the first start` };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : String(error);
    return {
      check,
      state: 'fail',
      message: `${folder} cannot be made in ${place} (${reason})`,
      next: 'Make it for the user of the daemon, mode 700, or choose another one.',
    };
  }
}

function checkApart(dataDir: string, keyDir: string): Finding {
  const check = 'keys apart';
  const data = realPathOf(dataDir);
  const keys = realPathOf(keyDir);
  return keys === data || keys.startsWith(data + sep)
    ? {
        check,
        state: 'fail',
        message: 'the key folder lies in the data folder',
        next: 'Move it out: a copy of the data would carry its own keys.',
      }
    : { check, state: 'ok', message: 'the key folder lies outside the data folder' };
}

/** Unlike the others it is never made: its disk may just not be mounted. */
function checkReplica(folder: string, dataDir: string): Finding {
  const check = 'keyring replica';
  if (!existsSync(folder)) return { check, state: 'fail', message: `${folder} is not there`, next: 'Mount its disk, or make it there.' };
  const found = checkFolder(check, folder);
  if (found.state === 'fail' || !existsSync(dataDir) || statSync(folder).dev !== statSync(dataDir).dev) return found;
  return { check, state: 'warn', message: `${folder} is on the disk of the data`, next: 'Put it on another one: both go with that disk.' };
}

/** Real place of a path, of which the last parts may not be there yet. */
function realPathOf(path: string): string {
  const full = resolve(path);
  if (existsSync(full) || dirname(full) === full) return realpathSync(full);
  return join(realPathOf(dirname(full)), basename(full));
}

function checkKeyFile(tenant: string, dataDir: string, keyDir: string): Finding {
  const check = `key of ${tenant}`;
  const files = keyFilesOf(tenant, keyDir);
  if (files.length === 0) {
    return existsSync(join(dataDir, 'tenants', tenant, 'keyring'))
      ? {
          check,
          state: 'fail',
          message: `no key file of ${tenant} is in ${keyDir}`,
          next: 'Put the key file back: without it this vault cannot be opened.',
        }
      : { check, state: 'ok', message: 'is made at the first start' };
  }
  const open = files.find((file) => (statSync(file).mode & 0o177) !== 0);
  return open === undefined
    ? { check, state: 'ok', message: `${files.join(', ')} (mode 600)` }
    : {
        check,
        state: 'fail',
        message: `${open} is open to others (mode ${(statSync(open).mode & 0o777).toString(8)})`,
        next: `chmod 600 ${open}`,
      };
}

/** One, or that of the next epoch as well while the tenant moves to it. */
function keyFilesOf(tenant: string, keyDir: string): string[] {
  if (!existsSync(keyDir)) return [];
  const name = new RegExp(`^${tenant}(?:\\.[1-9][0-9]*)?\\.key$`);
  return readdirSync(keyDir)
    .filter((file) => name.test(file))
    .map((file) => join(keyDir, file));
}
