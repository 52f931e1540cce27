import { createHash } from 'node:crypto';

/** Shards of the customers' keys. To erase a customer, only the shard that holds his key needs a new key. */
const SHARDS = 256;

/** The keys that the keyring header holds, all random, each under the tenant key. */
export const HEADER_KEY_NAMES: readonly string[] = [
  'file-keys',
  'file-vault',
  'outbox',
  'clip',
  'snapshot',
  'index-seed',
  ...Array.from({ length: SHARDS }, (_, shard) => shardKeyName(shard)),
];

/** Header key of the shard that a customer belongs to, for ever: it follows from the customer's id alone. */
export function shardKeyOf(customerId: string): string {
  return shardKeyName(createHash('sha256').update(customerId).digest().readUInt8(0));
}

export function isShardKey(name: string): boolean {
  return name.startsWith('shard-');
}

function shardKeyName(shard: number): string {
  return `shard-${String(shard).padStart(3, '0')}`;
}
