import { calculateJwkThumbprint, compactVerify, decodeJwt, importJWK } from 'jose';
import { SecureGateError } from '../errors/securegate-error.ts';
import { KEY_CHANGE_TYPE, keyChangeSchema, type PinnedUse } from './key-change.ts';
import type { PublicKey } from './public-key.ts';

export interface FollowedKeys {
  /** The one that counts first; then those that counted before, the newest first. */
  readonly keys: readonly PublicKey[];
  /** The words that were followed, the first one first. */
  readonly followed: readonly string[];
}

/**
 * Follows the changes of a key from the one that is pinned: each has to be signed by the key that counts, so that neither a stranger's nor a retired one
 * leads anywhere. What was followed before changes nothing when it is told again.
 * @param pinned the one that counts first
 * @param changes of any use, the first one first
 * @throws {SecureGateError} `key_change_rejected`
 */
export async function followKeyChanges(use: PinnedUse, pinned: readonly PublicKey[], changes: readonly string[]): Promise<FollowedKeys> {
  const names = await Promise.all(pinned.map((key) => calculateJwkThumbprint(key)));
  const told = await Promise.all(changes.map(async (change) => ({ change, ...(await readChange(change)) })));
  const ofUse = told.filter((one) => one.use === use);
  // Up to the last one that leads to a key which is known: whoever pinned it later has not seen those before.
  const fresh = ofUse.slice(ofUse.findLastIndex(({ name }) => names.includes(name)) + 1);
  let keys = pinned;
  for (const { change, key } of fresh) {
    await verifyChange(change, keys[0]);
    keys = [key, ...keys];
  }
  return { keys, followed: fresh.map(({ change }) => change) };
}

async function readChange(change: string) {
  try {
    const { use, key } = keyChangeSchema.parse(decodeJwt(change));
    return { use, key, name: await calculateJwkThumbprint(key) };
  } catch (cause) {
    throw rejected(cause);
  }
}

async function verifyChange(change: string, by: PublicKey | undefined): Promise<void> {
  try {
    if (by === undefined) throw new Error('no key is pinned');
    const { protectedHeader } = await compactVerify(change, await importJWK(by, 'ES256'), { algorithms: ['ES256'] });
    if (protectedHeader.typ !== KEY_CHANGE_TYPE) throw new Error('it says something else');
  } catch (cause) {
    throw rejected(cause);
  }
}

function rejected(cause: unknown): SecureGateError {
  return new SecureGateError('key_change_rejected', 'This change of a key was not signed by the key that counts', { cause });
}
