import { hashNode } from './hashes.ts';

export interface TreeRoot {
  readonly size: number;
  readonly root: Buffer;
}

/** Whether a proof shows that one tree goes on where the other ended (RFC 9162, 2.1.4.2, for the trees of RFC 6962). */
export function verifyConsistency(from: TreeRoot, to: TreeRoot, proof: readonly Buffer[]): boolean {
  if (!Number.isSafeInteger(from.size) || !Number.isSafeInteger(to.size) || from.size < 0 || from.size > to.size) return false;
  if (from.size === to.size) return proof.length === 0 && from.root.equals(to.root);
  // Every tree goes on where there was nothing.
  if (from.size === 0) return proof.length === 0;
  const path = Number.isInteger(Math.log2(from.size)) ? [from.root, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let [place, last] = [from.size - 1, to.size - 1];
  while (place % 2 === 1) [place, last] = above(place, last);
  let [before, after] = [first, first];
  for (const hash of path) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      [before, after] = [hashNode(hash, before), hashNode(hash, after)];
      while (place % 2 === 0 && place !== 0) [place, last] = above(place, last);
    } else after = hashNode(after, hash);
    [place, last] = above(place, last);
  }
  return last === 0 && before.equals(from.root) && after.equals(to.root);
}

function above(place: number, last: number): [number, number] {
  return [Math.floor(place / 2), Math.floor(last / 2)];
}
