import { type ReadNode, rangeRoot, splitPoint } from './range-root.ts';

/**
 * Makes the proof that a leaf is in a tree (RFC 6962, 2.1.1: PATH(index, D[0:size])).
 * @param index below `size`
 */
export async function proveInclusion(read: ReadNode, index: number, size: number): Promise<Buffer[]> {
  const proof: Buffer[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    const isLeft = index < middle;
    proof.push(isLeft ? await rangeRoot(read, middle, end) : await rangeRoot(read, start, middle));
    [start, end] = isLeft ? [start, middle] : [middle, end];
  }
  return proof.reverse();
}
