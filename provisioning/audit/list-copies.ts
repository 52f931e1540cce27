import { copyDiffers } from '../../shared/audit/copy-differs.ts';
import { readCopyName } from '../../shared/audit/copy-names.ts';
import type { Bucket } from '../../shared/s3/bucket.ts';

/** What a bucket has of one log. */
export interface ListedCopy {
  readonly log: string;
  /** Of its heads, the smallest first. */
  readonly sizes: readonly number[];
  readonly isFork: boolean;
  /** How many words on changes of the key that signs heads. */
  readonly keyChanges: number;
}

/**
 * Lists the copies of logs in a bucket that have a head. Object Lock keeps every version, but lets others be put over it, and a removal be written
 * down; whoever reads the newest then gets something else. So there has to be one version of each.
 * @throws {SecureGateError} `log_copy_differs`, and the bucket's
 */
export async function listCopies(bucket: Pick<Bucket, 'versions'>): Promise<ListedCopy[]> {
  const copies = new Map<string, { readonly log: string; readonly sizes: number[]; isFork: boolean; keyChanges: number }>();
  let last: string | undefined;
  for await (const { name, isRemoval } of bucket.versions('')) {
    const read = readCopyName(name);
    if (read === undefined) continue;
    if (isRemoval || name === last) throw copyDiffers(name, isRemoval ? 'removed' : 'replaced');
    last = name;
    const copy = copies.get(read.log) ?? { log: read.log, sizes: [], isFork: false, keyChanges: 0 };
    copies.set(read.log, copy);
    if (read.size !== undefined) copy.sizes.push(read.size);
    if (read.isFork) copy.isFork = true;
    if (read.isKeyChange) copy.keyChanges += 1;
  }
  // One of which no head is there yet is being made.
  return [...copies.values()].filter(({ sizes }) => sizes.length > 0);
}
