import { hashNode } from './hashes.ts';

export interface Inclusion {
  readonly index: number;
  readonly size: number;
  /** Hash of the leaf. */
  readonly leaf: Buffer;
  readonly root: Buffer;
  readonly proof: readonly Buffer[];
}

/** Whether a proof shows that a leaf is in the tree of this root (RFC 9162, 2.1.3.2, for the trees of RFC 6962). */
export function verifyInclusion({ index, size, leaf, root, proof }: Inclusion): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let [place, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = hashNode(sibling, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = above(place, last);
    } else hash = hashNode(hash, sibling);
    [place, last] = above(place, last);
  }
  return last === 0 && hash.equals(root);
}

function above(place: number, last: number): [number, number] {
  return [Math.floor(place / 2), Math.floor(last / 2)];
}
