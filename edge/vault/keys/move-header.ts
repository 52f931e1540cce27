import { timingSafeEqual } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { VaultScope } from '../scope.ts';
import { type HeaderKey, type HeaderKeys, sealHeaderKey, tenantKey } from './header-key.ts';
import { type KeyringHeader, openHeader, openPrevious } from './keyring-header.ts';
import { wipeKeys } from './wipe-keys.ts';

/**
 * The header of a later epoch: the same keys under another tenant key.
 * @param from tenant key of `header.epoch`; both tenant keys stay the caller's
 * @param to that of `epoch`
 */
export function moveHeader(header: KeyringHeader, from: Buffer, to: Buffer, epoch: number, scope: VaultScope): KeyringHeader {
  const { movingTo: _arrived, previous, ...rest } = header;
  const sealed = (open: typeof openHeader): KeyringHeader['keys'] => {
    const keys = open(header, from, scope);
    try {
      return Object.fromEntries(Array.from(keys, ([name, key]) => [name, sealHeaderKey(tenantKey(to, epoch), scope, name, key)]));
    } finally {
      wipeKeys(keys);
    }
  };
  const moved = { ...rest, epoch, keys: sealed(openHeader) };
  return previous ? { ...moved, previous: sealed(openPrevious) } : moved;
}

/**
 * The proof that the old tenant key may go: the header of the later epoch holds the very keys of the one before.
 * @throws {SecureGateError} `key_rejected`, `vault_corrupt`
 */
export function requireSameKeys(header: KeyringHeader, from: Buffer, moved: KeyringHeader, to: Buffer, scope: VaultScope): void {
  for (const open of [openHeader, openPrevious]) {
    const before = open(header, from, scope);
    try {
      const after = open(moved, to, scope);
      const same = isSame(before, after);
      wipeKeys(after);
      if (!same) throw new SecureGateError('vault_corrupt', 'The keyring header was not moved whole');
    } finally {
      wipeKeys(before);
    }
  }
}

function isSame(before: HeaderKeys, after: HeaderKeys): boolean {
  const kept = ([name, key]: [string, HeaderKey]): boolean => {
    const moved = after.get(name);
    return moved?.version === key.version && timingSafeEqual(moved.bytes, key.bytes);
  };
  return before.size === after.size && [...before].every(kept);
}
