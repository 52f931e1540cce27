import { randomBytes } from 'node:crypto';
import type { VaultScope } from '../scope.ts';
import { type HeaderKey, type HeaderKeys, sealHeaderKey, tenantKey } from './header-key.ts';
import { isShardKey } from './header-keys.ts';
import type { KeyringHeader } from './keyring-header.ts';

/**
 * Puts fresh random keys in the place of some of the header's. A shard key stays beside its successor for as long as customers'
 * keys are under it; of other keys nothing stays.
 * @param tek the tenant key of `header.epoch`; stays the caller's
 * @returns the new header, and its new keys, which the caller wipes
 */
export function renewHeaderKeys(
  header: KeyringHeader,
  names: Iterable<string>,
  tek: Buffer,
  scope: VaultScope,
): { header: KeyringHeader; keys: HeaderKeys } {
  const fresh = new Map<string, HeaderKey>();
  const keys = { ...header.keys };
  const previous = { ...header.previous };
  for (const name of names) {
    const entry = keys[name];
    if (!entry) throw new RangeError(`The header has no ${name}`);
    const key = { version: entry.version + 1, bytes: randomBytes(32) };
    fresh.set(name, key);
    if (isShardKey(name)) previous[name] = entry;
    keys[name] = sealHeaderKey(tenantKey(tek, header.epoch), scope, name, key);
  }
  return { header: { ...header, keys, previous }, keys: fresh };
}
