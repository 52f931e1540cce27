import { EMPTY_ROOT, hashNode } from './hashes.ts';

/**
 * Gives the hash of a full subtree: that of 2^level leaves, of which the first is number `index` * 2^level.
 * Full subtrees never change again, whatever is added.
 */
export type ReadNode = (level: number, index: number) => Promise<Buffer>;

/**
 * Root of the tree of some of the leaves (RFC 6962, 2.1: MTH(D[start:end])), as they occur in proofs.
 * @param start a multiple of the smallest power of two that is not smaller than their number
 */
export async function rangeRoot(read: ReadNode, start: number, end: number): Promise<Buffer> {
  const count = end - start;
  if (count === 0) return EMPTY_ROOT;
  const level = Math.log2(count);
  if (Number.isInteger(level)) return await read(level, start / count);
  const middle = start + splitPoint(count);
  return hashNode(await rangeRoot(read, start, middle), await rangeRoot(read, middle, end));
}

/** The largest power of two below `count`, which is at least 2. */
export function splitPoint(count: number): number {
  let point = 1;
  while (point * 2 < count) point *= 2;
  return point;
}
