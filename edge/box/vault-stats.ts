import type { Stats } from '../../shared/messages/events.ts';
import type { VaultClient } from '../vault/client.ts';

/** @param failure why the last try to renew its lease failed */
export function vaultStats(tenant: string, vault: VaultClient, failure: string | null): Stats['vaults'][number] {
  const { state, faces, restarts, epoch, outbox, heldLease } = vault;
  const lease = heldLease && { enforcement: heldLease.enforcement, newest: heldLease.newest, leftMs: heldLease.leftMs, failure };
  return { tenant, state, faces, restarts, epoch, outbox, lease };
}
