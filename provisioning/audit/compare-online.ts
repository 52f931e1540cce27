import { followedFrom, followLog, forksSince } from '../../shared/audit/follow-log.ts';
import { type LogHead, readFork, readHead } from '../../shared/audit/log-tokens.ts';
import { type CloudClient, contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';

/**
 * Holds the log that a control plane tells now against a head that it signed before, and that somebody else has kept.
 * @param kept the head, signed
 * @param keys pinned, the one that counts first
 * @returns the head that it tells
 * @throws {SecureGateError} `log_head_rejected`, `key_change_rejected`, `log_forked`, `log_truncated`, `log_backdated`
 */
export async function compareOnline(cloud: CloudClient, kept: string, keys: readonly PublicKey[]): Promise<LogHead> {
  const { head, keyChanges } = await contentOf(cloud.GET('/v1/audit/heads/latest'));
  const before = readHead(kept);
  const forks = forksSince(before.log, (await contentOf(cloud.GET('/v1/audit/forks'))).forks);
  const [from, to] = [followedFrom(before, forks.map(readFork)).size, readHead(head).size];
  const query = { from, to };
  // Without a proof, followLog says that this is not the log that was kept.
  const { proof } = from > to ? { proof: [] } : await contentOf(cloud.GET('/v1/audit/proofs/consistency', { params: { query } }));
  return (await followLog(kept, { head, forks, proof, keyChanges }, keys)).head;
}
