import { randomInt } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { Kysely } from 'kysely';
import { copyDiffers } from '../../../shared/audit/copy-differs.ts';
import { checkpointName, checkpointsOf, forkName, keyChangeName, tileName } from '../../../shared/audit/copy-names.ts';
import { readHead } from '../../../shared/audit/log-tokens.ts';
import { edgeTiles, fullTiles, type TileEdge } from '../../../shared/crypto/merkle/tile-places.ts';
import { TILE_WIDTH } from '../../../shared/crypto/merkle/tiles.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { keyChangeSchema } from '../../../shared/lease/key-change.ts';
import { Bucket, type StoredObject } from '../../../shared/s3/bucket.ts';
import type { BucketConfig } from '../../../shared/s3/bucket-config.ts';
import type { Database } from '../../store/database.ts';
import type { LogHeads } from '../log-heads.ts';
import type { LogTree } from '../log-tree.ts';
import { storedTiles } from '../stored-tiles.ts';
import type { CopyRecord, CopyRecords } from './copy-records.ts';

const DAY_MS = 86_400_000;
/** How often the bucket is asked whether it still holds and locks what was put there, beside the last head, which is looked at each time. */
const EXAMINE_EVERY_MS = 6 * 3_600_000;
/** Full tiles of all that are looked at then. */
const SAMPLES = 8;
/** After so many leaves it is written down how far the copy is. */
const STRIDE = 64 * TILE_WIDTH;
const REQUESTS_AT_ONCE = 4;

const TILE_TYPE = 'application/octet-stream';
const TOKEN_TYPE = 'application/jwt';

export interface LogCopyOptions {
  readonly db: Kysely<Database>;
  readonly tree: LogTree;
  readonly heads: Pick<LogHeads, 'update'>;
  readonly records: CopyRecords;
  readonly config: BucketConfig & { readonly retentionDays: number };
  readonly now: () => number;
}

/**
 * The copy of the log in a bucket where nobody can change or delete it: the tiles of its tree, and the heads that were signed. Everything is put
 * there once, the head after its tree; what is there already has to be the same.
 */
export class LogCopy {
  readonly #options: LogCopyOptions;
  #examinedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LogCopyOptions) {
    this.#options = options;
  }

  /**
   * Brings the copy up to the newest head. Any number of processes may do so at a time, and be killed anywhere.
   * @throws {SecureGateError} `log_copy_differs`, `log_bucket_unlocked`, `bucket_unavailable`, `bucket_refused`, and what {@link Bucket.open} throws
   */
  async copy(stop: AbortSignal): Promise<void> {
    const { heads, records, config, now } = this.#options;
    const { head: token, keyChanges } = await heads.update(undefined);
    const { record } = await records.read();
    const bucket = await Bucket.open(config, stop);
    try {
      const isDue = Math.abs(now() - this.#examinedAt) >= EXAMINE_EVERY_MS;
      if (isDue && !(await bucket.canLock()))
        throw new SecureGateError('log_bucket_unlocked', 'The bucket has no versioning, or no Object Lock');
      if (record.size > 0) await this.#requireHead(bucket, record.log, checkpointName(record.log, record.size));
      if (isDue) await this.#requireKnownHeads(bucket, record);
      const copied = await this.#bring(bucket, token, keyChanges, record);
      if (isDue) await this.#examine(bucket, copied);
      await records.move({ ...copied, copied_at: now(), problem: '' });
      if (isDue) this.#examinedAt = now();
    } finally {
      bucket.close();
    }
  }

  async #bring(bucket: Bucket, token: string, keyChanges: readonly string[], record: CopyRecord): Promise<CopyRecord> {
    const { records } = this.#options;
    const { log, size } = readHead(token);
    // A fork was declared meanwhile: the next time is about the log as it is then.
    if (log !== record.log || size <= record.size) return record;
    if (record.size === 0) await this.#putFork(bucket, log);
    let { tiled } = record;
    for (const end = size - (size % TILE_WIDTH); tiled < end; ) {
      const next = Math.min(tiled + STRIDE, end);
      await this.#putTiles(bucket, log, fullTiles(tiled, next));
      tiled = next;
      await records.move({ ...record, tiled });
    }
    await this.#putTiles(bucket, log, edgeTiles(size));
    await this.#putKeyChanges(bucket, log, keyChanges);
    await this.#put(bucket, checkpointName(log, size), Buffer.from(token), TOKEN_TYPE);
    const copied = { ...record, tiled, size };
    await records.move(copied);
    return copied;
  }

  /** Where an HSM was lost, the words of the one before are there, of which the next one knows nothing. */
  async #putKeyChanges(bucket: Bucket, log: string, words: readonly string[]): Promise<void> {
    const loss = await this.#options.db.selectFrom('recoveries').select('id').limit(1).executeTakeFirst();
    let number = 0;
    for (const word of words.map((text) => Buffer.from(text))) {
      while (loss && (await isTaken(bucket, keyChangeName(log, number), word))) number += 1;
      await this.#put(bucket, keyChangeName(log, number), word, TOKEN_TYPE);
      number += 1;
    }
  }

  async #putFork(bucket: Bucket, log: string): Promise<void> {
    const fork = await this.#options.db.selectFrom('log_forks').select('token').where('log', '=', log).executeTakeFirst();
    if (fork) await this.#put(bucket, forkName(log), Buffer.from(fork.token), TOKEN_TYPE);
  }

  async #putTiles(bucket: Bucket, log: string, tiles: readonly TileEdge[]): Promise<void> {
    for (let first = 0; first < tiles.length; first += REQUESTS_AT_ONCE) {
      const together = tiles.slice(first, first + REQUESTS_AT_ONCE);
      await Promise.all(
        together.map(async (tile) => this.#put(bucket, tileName(log, tile, tile.width), await this.#hashesOf(tile), TILE_TYPE)),
      );
    }
  }

  async #put(bucket: Bucket, name: string, body: Buffer, type: string): Promise<void> {
    const { config, now } = this.#options;
    const until = new Date(now() + config.retentionDays * DAY_MS);
    if (await bucket.putLocked(name, body, type, until)) return;
    // From before a kill, of another process, or of somebody else.
    if (!(await existing(bucket, name)).body.equals(body)) throw copyDiffers(name, 'other');
  }

  /** Of a tile that has grown since, those that it had. */
  async #hashesOf(tile: TileEdge): Promise<Buffer> {
    return (await storedTiles(this.#options.db)(tile)).subarray(0, tile.width * 32);
  }

  /** A head in the bucket is one of this log, as it is now. */
  async #requireHead(bucket: Bucket, log: string, name: string): Promise<void> {
    const { tree } = this.#options;
    const { body } = await existing(bucket, name);
    const head = readKeptHead(body);
    const isOurs = head?.log === log && head.size <= (await tree.size()) && head.root === (await tree.root(head.size));
    if (!isOurs) throw copyDiffers(name, 'other');
  }

  /** After a restore, or where somebody else writes, there are heads of which the record knows nothing. */
  async #requireKnownHeads(bucket: Bucket, { log, size }: CopyRecord): Promise<void> {
    for await (const { name, isRemoval } of bucket.versions(checkpointsOf(log), checkpointName(log, size))) {
      if (isRemoval) throw copyDiffers(name, 'removed');
      await this.#requireHead(bucket, log, name);
    }
  }

  /** Looks at what the newest head rests on, and at some of the rest: there once, the same, and locked. */
  async #examine(bucket: Bucket, { log, tiled, size }: CopyRecord): Promise<void> {
    if (size === 0) return;
    const count = tiled / TILE_WIDTH;
    const samples = Array.from({ length: Math.min(count, SAMPLES) }, () => ({ level: 0, number: randomInt(count), width: TILE_WIDTH }));
    requireLock(checkpointName(log, size), await onlyVersion(bucket, checkpointName(log, size)));
    for (const tile of [...edgeTiles(size), ...samples]) {
      const name = tileName(log, tile, tile.width);
      const object = await onlyVersion(bucket, name);
      if (!object.body.equals(await this.#hashesOf(tile))) throw copyDiffers(name, 'other');
      requireLock(name, object);
    }
  }
}

function readKeptHead(body: Buffer) {
  try {
    return readHead(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Whether another word on the key has a name. Anything else there is none of this log. */
async function isTaken(bucket: Bucket, name: string, word: Buffer): Promise<boolean> {
  const object = await bucket.get(name);
  return object !== undefined && !object.body.equals(word) && isKeyChange(object.body);
}

function isKeyChange(body: Buffer): boolean {
  try {
    return keyChangeSchema.parse(decodeJwt(body.toString('utf8'))).use === 'audit';
  } catch {
    return false;
  }
}

async function existing(bucket: Bucket, name: string): Promise<StoredObject> {
  const object = await bucket.get(name);
  if (object === undefined) throw copyDiffers(name, 'missing');
  return object;
}

/** Object Lock keeps every version, but lets others be put over it, and a removal be written down: then a reader gets something else. */
async function onlyVersion(bucket: Bucket, name: string): Promise<StoredObject> {
  let count = 0;
  for await (const version of bucket.versions(name)) {
    if (version.name !== name) continue;
    count += 1;
    if (version.isRemoval || count > 1) throw copyDiffers(name, version.isRemoval ? 'removed' : 'replaced');
  }
  return await existing(bucket, name);
}

function requireLock(name: string, { lock }: StoredObject): void {
  if (lock?.mode === 'COMPLIANCE') return;
  throw new SecureGateError('log_bucket_unlocked', 'The bucket does not lock what is put there', { details: { object: name } });
}
