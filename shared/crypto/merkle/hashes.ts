import { hash } from 'node:crypto';

/** The hashes of a Merkle tree (RFC 6962, 2.1, with SHA-256). The prefix keeps a leaf from passing as a node, and a node as a leaf. */
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** Root of the tree without leaves. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer');

export function hashLeaf(leaf: Buffer): Buffer {
  return hash('sha256', Buffer.concat([LEAF, leaf]), 'buffer');
}

export function hashNode(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');
}
