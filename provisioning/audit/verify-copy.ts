import { z } from 'zod';
import { copyDiffers } from '../../shared/audit/copy-differs.ts';
import { checkpointName, forkName, keyChangeName, tileName } from '../../shared/audit/copy-names.ts';
import {
  LOG_FORK_TYPE,
  LOG_HEAD_TYPE,
  type LogFork,
  type LogHead,
  logForkSchema,
  logHeadSchema,
  logTokenSchema,
  namedKey,
  verifyLogToken,
} from '../../shared/audit/log-tokens.ts';
import { rangeRoot } from '../../shared/crypto/merkle/range-root.ts';
import { edgeTiles, fullTiles, type TileEdge } from '../../shared/crypto/merkle/tile-places.ts';
import { nodesOfTiles } from '../../shared/crypto/merkle/tiles.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { followKeyChanges } from '../../shared/lease/follow-key-changes.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import type { Bucket, StoredObject } from '../../shared/s3/bucket.ts';
import { type FollowedLosses, followLosses, type Loss } from './follow-losses.ts';
import { type ListedCopy, listCopies } from './list-copies.ts';
import type { LogExport } from './log-export.ts';
import { tilesOf } from './tiles-of.ts';

const HASH_BYTES = 32;
const REQUESTS_AT_ONCE = 8;

/** What is kept of a copy that was checked, for the next time. */
export const seenCopySchema = z.strictObject({ version: z.literal(1), head: logTokenSchema });

export interface VerifiedCopy {
  /** The newest head that is there, and its token. */
  readonly head: LogHead;
  readonly token: string;
  /** Every fork that was declared, the first one first. */
  readonly forks: readonly LogFork[];
  /** Each time that the key went with an HSM since the one that is pinned. */
  readonly losses: readonly Loss[];
  /** By which it is signed, the one that counts first. */
  readonly keys: readonly PublicKey[];
  /** How many heads were checked that had not been seen. */
  readonly checked: number;
  /** Until when nobody can remove any of what was read. */
  readonly lockedUntil: Date;
}

export interface CopyTrust {
  /** The head that was seen the last time, signed. */
  readonly seen?: string | undefined;
  /** What an org is told of the log, and the fingerprint of its keys: on their word alone the log goes on by another key where an HSM was lost. */
  readonly org?: { readonly log: LogExport; readonly orgKeys: string | undefined } | undefined;
}

/**
 * Checks the copy of a log with nothing but the public key and a right to read: that the leaves that are there make every root that was signed, that
 * nothing was put over anything, that all is locked, and that one log goes on where the one before ended.
 * @param key pinned
 * @throws {SecureGateError} `log_copy_differs`, `log_bucket_unlocked`, `log_head_rejected`, `key_change_rejected`, `recovery_rejected`, `log_forked`, `log_truncated`, `log_backdated`, and the
 * bucket's
 */
export async function verifyCopy(bucket: Pick<Bucket, 'get' | 'versions'>, key: PublicKey, trust: CopyTrust = {}): Promise<VerifiedCopy> {
  return await new CopyCheck(bucket, key, trust).run();
}

/** One check, and until when all is locked that it has read. */
class CopyCheck {
  readonly #bucket: Pick<Bucket, 'get' | 'versions'>;
  readonly #key: PublicKey;
  readonly #trust: CopyTrust;
  /** Each that ever counted since the one that is pinned. */
  #keys: readonly PublicKey[] = [];
  /** Which of them is the newest that has signed a head: 0 is the newest of all. */
  #counts = Number.POSITIVE_INFINITY;
  #lockedUntil = new Date(8.64e15);
  #checked = 0;

  constructor(bucket: Pick<Bucket, 'get' | 'versions'>, key: PublicKey, trust: CopyTrust) {
    this.#bucket = bucket;
    this.#key = key;
    this.#trust = trust;
  }

  async run(): Promise<VerifiedCopy> {
    const { seen } = this.#trust;
    const copies = await listCopies(this.#bucket);
    const { keys, losses } = await this.#followKeys(copies);
    this.#keys = keys;
    const kept = seen === undefined ? undefined : await this.#head(seen);
    const forks = await Promise.all(copies.filter(({ isFork }) => isFork).map((copy) => this.#fork(copy)));
    const chain = chainOf(copies, forks);
    if (kept && !chain.some(({ log }) => log === kept.log)) throw copyDiffers(checkpointName(kept.log, kept.size), 'missing');
    let token = '';
    for (const copy of chain) token = await this.#verify(copy, forks, kept);
    const head = await this.#head(token);
    // A key that is retired may be in anybody's hands: what it signed before holds, and it goes on with nothing.
    if ((await namedKey(token, this.#keys)) > this.#counts) throw refusal('log_head_rejected', head.log, head.size);
    const inOrder = chain.flatMap(({ log }) => forks.filter((fork) => fork.log === log));
    return { head, token, forks: inOrder, losses, keys, checked: this.#checked, lockedUntil: this.#lockedUntil };
  }

  /** Every log has the words of the HSM that there was when its newest head was put; those of one that was lost before are with an earlier log. */
  async #followKeys(copies: readonly ListedCopy[]): Promise<FollowedLosses> {
    const names = copies
      .toSorted((one, other) => (one.log < other.log ? -1 : 1))
      .flatMap(({ log, keyChanges }) => Array.from({ length: keyChanges }, (_, number) => keyChangeName(log, number)));
    const words = [...new Set((await this.#each(names, (name) => this.#get(name))).map(({ body }) => body.toString('utf8')))];
    const { org } = this.#trust;
    if (org === undefined) return { keys: (await followKeyChanges('audit', [this.#key], words)).keys, losses: [] };
    const { log, orgKeys } = org;
    // The control plane may have told more than it has copied.
    const keyChanges = [...words, ...log.keyChanges.filter((word) => !words.includes(word))];
    return await followLosses({ ...log, keyChanges }, { key: this.#key, seenAt: await this.#seenAt(), orgKeys });
  }

  /** When the head that was seen the last time was signed by the key that is pinned; 0 where another one has signed it. */
  async #seenAt(): Promise<number> {
    const { seen } = this.#trust;
    if (seen === undefined || (await namedKey(seen, [this.#key])) !== 0) return 0;
    return (await verifyLogToken(seen, LOG_HEAD_TYPE, logHeadSchema, [this.#key])).at;
  }

  /** @returns its newest head */
  async #verify({ log, sizes }: ListedCopy, forks: readonly LogFork[], kept: LogHead | undefined): Promise<string> {
    const size = sizes.at(-1) ?? 0;
    const nodes = nodesOfTiles(await this.#tiles(log, size));
    const rootAt = async (count: number): Promise<string> => (await rangeRoot(nodes, 0, count)).toString('base64url');
    const known = kept?.log === log ? kept : undefined;
    const fixed = [...(known ? [known] : []), ...forks.filter((fork) => fork.log === log || fork.of === log)];
    if (known && known.size > size) throw refusal('log_truncated', log, known.size);
    for (const { size: count, root } of fixed) {
      // A log can have been lost from before the end of its copy, and from after it.
      if (count <= size && (await rootAt(count)) !== root) throw refusal('log_forked', log, count);
    }
    let [token, at] = ['', 0];
    // The newest is looked at in any case.
    for (const count of sizes.filter((one) => one === size || one > (known?.size ?? -1))) {
      token = (await this.#get(checkpointName(log, count))).body.toString('utf8');
      const head = await this.#head(token);
      if (head.log !== log || head.size !== count || head.root !== (await rootAt(count))) throw refusal('log_forked', log, count);
      if (head.at < at) throw refusal('log_backdated', log, count);
      at = head.at;
      this.#checked += 1;
    }
    return token;
  }

  async #head(token: string): Promise<LogHead> {
    const head = await verifyLogToken(token, LOG_HEAD_TYPE, logHeadSchema, this.#keys);
    const by = await namedKey(token, this.#keys);
    this.#counts = Math.min(this.#counts, by);
    return head;
  }

  /** The tree, made of its leaves; what else is there of it has to be the same. */
  async #tiles(log: string, size: number) {
    const all = [...fullTiles(0, size), ...edgeTiles(size)];
    const leaves = await this.#each(all.filter(({ level }) => level === 0), (tile) => this.#hashes(log, tile)); // biome-ignore format: one line
    const read = await tilesOf(leaves.flat());
    await this.#each(all.filter(({ level }) => level > 0), async (tile) => {
      const made = (await read(tile)).subarray(0, tile.width * HASH_BYTES);
      const name = tileName(log, tile, tile.width);
      if (!made.equals((await this.#get(name)).body)) throw copyDiffers(name, 'other');
    }); // biome-ignore format: as above
    return read;
  }

  async #hashes(log: string, tile: TileEdge): Promise<Buffer[]> {
    const name = tileName(log, tile, tile.width);
    const { body } = await this.#get(name);
    if (body.length !== tile.width * HASH_BYTES) throw copyDiffers(name, 'other');
    return Array.from({ length: tile.width }, (_, index) => body.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
  }

  async #fork({ log }: ListedCopy): Promise<LogFork> {
    const { body } = await this.#get(forkName(log));
    const fork = await verifyLogToken(body.toString('utf8'), LOG_FORK_TYPE, logForkSchema, this.#keys);
    if (fork.log !== log) throw copyDiffers(forkName(log), 'other');
    return fork;
  }

  async #get(name: string): Promise<StoredObject> {
    const object = await this.#bucket.get(name);
    if (object === undefined) throw copyDiffers(name, 'missing');
    if (object.lock?.mode !== 'COMPLIANCE') {
      const told = 'An object is not locked, or the right is missing to see that it is (s3:GetObjectRetention)';
      throw new SecureGateError('log_bucket_unlocked', told, { details: { object: name } });
    }
    if (object.lock.until < this.#lockedUntil) this.#lockedUntil = object.lock.until;
    return object;
  }

  async #each<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = [];
    for (let first = 0; first < items.length; first += REQUESTS_AT_ONCE) {
      results.push(...(await Promise.all(items.slice(first, first + REQUESTS_AT_ONCE).map(work))));
    }
    return results;
  }
}

/** The logs, of which each went on where the one before was lost. @throws {SecureGateError} `log_copy_differs`: there is none, `log_forked` */
function chainOf(copies: readonly ListedCopy[], forks: readonly LogFork[]): ListedCopy[] {
  const chain: ListedCopy[] = [];
  let next = copies.find(({ log }) => !forks.some(({ of }) => of === log));
  while (next !== undefined) {
    chain.unshift(next);
    const { log } = next;
    const before = forks.find((fork) => fork.log === log)?.of;
    next = copies.find((copy) => copy.log === before && !chain.includes(copy));
  }
  if (chain.length === 0) throw copyDiffers('', 'missing');
  // Another log that nobody declared.
  if (chain.length < copies.length) throw refusal('log_forked', copies.find((copy) => !chain.includes(copy))?.log ?? '', 0);
  return chain;
}

function refusal(code: 'log_head_rejected' | 'log_forked' | 'log_truncated' | 'log_backdated', log: string, size: number): SecureGateError {
  return new SecureGateError(code, 'What is in the bucket is not the log that was signed', { details: { log, size } });
}
