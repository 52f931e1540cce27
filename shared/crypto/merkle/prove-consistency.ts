import { type ReadNode, rangeRoot, splitPoint } from './range-root.ts';

/**
 * Makes the proof that a tree goes on where an earlier one ended (RFC 6962, 2.1.2: PROOF(from, D[0:to])).
 * @param from from 1 to `to`
 */
export async function proveConsistency(read: ReadNode, from: number, to: number): Promise<Buffer[]> {
  const proof: Buffer[] = [];
  let [start, end] = [0, to];
  while (end !== from) {
    const middle = start + splitPoint(end - start);
    const isLeft = from <= middle;
    proof.push(isLeft ? await rangeRoot(read, middle, end) : await rangeRoot(read, start, middle));
    [start, end] = isLeft ? [start, middle] : [middle, end];
  }
  // Whoever checks it knows the whole earlier tree already.
  if (start > 0) proof.push(await rangeRoot(read, start, end));
  return proof.reverse();
}
