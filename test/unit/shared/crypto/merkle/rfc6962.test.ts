import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { EMPTY_ROOT, hashLeaf } from '../../../../../shared/crypto/merkle/hashes.ts';
import { proveConsistency } from '../../../../../shared/crypto/merkle/prove-consistency.ts';
import { proveInclusion } from '../../../../../shared/crypto/merkle/prove-inclusion.ts';
import { type ReadNode, rangeRoot } from '../../../../../shared/crypto/merkle/range-root.ts';
import { appendToTiles, nodesOfTiles, type ReadTile } from '../../../../../shared/crypto/merkle/tiles.ts';
import { verifyConsistency } from '../../../../../shared/crypto/merkle/verify-consistency.ts';
import { verifyInclusion } from '../../../../../shared/crypto/merkle/verify-inclusion.ts';

/** The leaves and what comes of them in the tests of Google's Certificate Transparency, the reference of RFC 6962. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const [H0, H23, H4] = [
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
];
const [H4567, H67, H45] = [
  '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
];

/** A tree in tiles, as a log keeps it. */
class Tree {
  size = 0;
  readonly hashes: Buffer[] = [];
  readonly #tiles = new Map<string, Buffer>();
  read = 0;

  readonly #readTile: ReadTile = async ({ level, number }) => {
    this.read += 1;
    return this.#tiles.get(`${level}/${number}`) ?? Buffer.alloc(0);
  };

  get nodes(): ReadNode {
    return nodesOfTiles(this.#readTile);
  }

  async add(...leaves: Buffer[]): Promise<void> {
    const hashes = leaves.map(hashLeaf);
    for (const { level, number, hashes: tile } of await appendToTiles(this.#readTile, this.size, hashes)) {
      this.#tiles.set(`${level}/${number}`, tile);
    }
    this.size += leaves.length;
    this.hashes.push(...hashes);
  }

  root(size = this.size): Promise<Buffer> {
    return rangeRoot(this.nodes, 0, size);
  }
}

/** RFC 6962, 2.1, word for word: nothing is kept. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k))];
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(left)
    .update(right)
    .digest();
}

const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'));
const bytes = (text: string): Buffer => Buffer.from(text, 'hex');

describe('the reference vectors of RFC 6962', async () => {
  const tree = new Tree();
  for (const leaf of LEAVES) await tree.add(bytes(leaf));

  test('roots of the trees of no leaf to eight', async () => {
    const roots = await Promise.all(ROOTS.map((_root, size) => tree.root(size)));
    expect(hex(roots)).toEqual(ROOTS);
    expect(EMPTY_ROOT.toString('hex')).toBe(ROOTS[0]);
  });

  test.each([
    [0, 1, []],
    [0, 8, [H0, H23, H4567]],
    [5, 8, [H4, H67, ROOTS[4]]],
    [2, 3, [ROOTS[2]]],
    [1, 5, [ROOTS[1], H23, H4]],
  ])('leaf %i is in the tree of %i', async (index, size, proof) => {
    expect(hex(await proveInclusion(tree.nodes, index, size))).toEqual(proof);
    const [leaf, root] = [hashLeaf(bytes(LEAVES[index] ?? '')), bytes(ROOTS[size] ?? '')];
    expect(verifyInclusion({ index, size, leaf, root, proof: proof.map((hash) => bytes(hash ?? '')) })).toBe(true);
  });

  test.each([
    [1, 1, []],
    [1, 8, [H0, H23, H4567]],
    [6, 8, [H45, H67, ROOTS[4]]],
    [2, 5, [H23, H4]],
  ])('the tree of %i goes on in that of %i', async (from, to, proof) => {
    expect(hex(await proveConsistency(tree.nodes, from, to))).toEqual(proof);
    const [one, other] = [from, to].map((size) => ({ size, root: bytes(ROOTS[size] ?? '') }));
    if (one && other)
      expect(
        verifyConsistency(
          one,
          other,
          proof.map((hash) => bytes(hash ?? '')),
        ),
      ).toBe(true);
  });
});

describe('random trees', () => {
  test('to 1,000 leaves: every root, and proofs of every leaf and of every size before', async () => {
    const tree = new Tree();
    const roots: Buffer[] = [EMPTY_ROOT];
    while (tree.size < 1000) {
      // As a log gets them: some together.
      const more = Array.from({ length: Math.min(1 + ((randomBytes(1)[0] ?? 0) % 7), 1000 - tree.size) }, () => randomBytes(8));
      await tree.add(...more);
      while (roots.length <= tree.size) roots.push(treeHash(tree.hashes.slice(0, roots.length)));
      expect(await tree.root()).toEqual(roots[tree.size]);
    }
    const { nodes, size } = tree;
    const root = await tree.root();
    for (let index = 0; index < size; index++) {
      const leaf = tree.hashes[index] ?? EMPTY_ROOT;
      const inclusion = { index, size, leaf, root, proof: await proveInclusion(nodes, index, size) };
      expect(verifyInclusion(inclusion)).toBe(true);
      expect(verifyInclusion({ ...inclusion, index: (index + 1) % size })).toBe(false);
      const [from, to] = [
        { size: index + 1, root: roots[index + 1] ?? root },
        { size, root },
      ];
      expect(verifyConsistency(from, to, await proveConsistency(nodes, index + 1, size))).toBe(true);
    }
  });

  test('to 70 leaves: proofs between any two sizes', async () => {
    const tree = new Tree();
    for (let count = 0; count < 70; count++) await tree.add(randomBytes(4));
    const { nodes } = tree;
    const roots = await Promise.all(Array.from({ length: 71 }, (_, size) => tree.root(size)));
    const at = (size: number) => ({ size, root: roots[size] ?? EMPTY_ROOT });
    for (let to = 1; to <= 70; to++) {
      for (let from = 1; from <= to; from++) {
        const proof = await proveConsistency(nodes, from, to);
        expect(verifyConsistency(at(from), at(to), proof)).toBe(true);
        expect(verifyConsistency(at(from), at(to), [...proof, EMPTY_ROOT])).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(at(from), at(to), proof.slice(1))).toBe(false);
      }
      for (let index = 0; index < to; index++) {
        const inclusion = { index, leaf: tree.hashes[index] ?? EMPTY_ROOT, ...at(to) };
        const proof = await proveInclusion(nodes, index, to);
        expect(verifyInclusion({ ...inclusion, proof })).toBe(true);
        expect(verifyInclusion({ ...inclusion, proof: [...proof, EMPTY_ROOT] })).toBe(false);
        if (proof.length > 0) expect(verifyInclusion({ ...inclusion, proof: proof.slice(1) })).toBe(false);
      }
    }
  });

  test('no proof holds with one bit of anything in it changed', async () => {
    const tree = new Tree();
    for (let count = 0; count < 21; count++) await tree.add(randomBytes(4));
    const [size, index, from] = [21, 9, 13];
    const [root, before] = [await tree.root(), await tree.root(from)];
    const leaf = tree.hashes[index] ?? EMPTY_ROOT;
    const inclusion = await proveInclusion(tree.nodes, index, size);
    const consistency = await proveConsistency(tree.nodes, from, size);
    const isIncluded = ([own, whole, ...proof]: readonly Buffer[]): boolean =>
      verifyInclusion({ index, size, leaf: own ?? leaf, root: whole ?? root, proof });
    const isConsistent = ([one, other, ...proof]: readonly Buffer[]): boolean =>
      verifyConsistency({ size: from, root: one ?? root }, { size, root: other ?? root }, proof);
    for (const [holds, parts] of [
      [isIncluded, [leaf, root, ...inclusion]],
      [isConsistent, [before, root, ...consistency]],
    ] as const) {
      expect(holds(parts)).toBe(true);
      for (const [place, part] of parts.entries()) {
        for (let bit = 0; bit < 256; bit++) {
          const changed = Buffer.from(part);
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(holds(parts.with(place, changed))).toBe(false);
        }
      }
    }
  });

  test('sizes and places that make no sense are refused', () => {
    const root = EMPTY_ROOT;
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0.5, 2],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(verifyInclusion({ index, size, leaf: root, root, proof: [] })).toBe(false);
    }
    for (const [from, to] of [
      [2, 1],
      [-1, 1],
      [1, 2],
      [0.5, 1],
    ] as const) {
      expect(verifyConsistency({ size: from, root }, { size: to, root }, [])).toBe(false);
    }
  });
});

test('a tree of 100,000 leaves is added to, and proofs are made, by a look at few tiles', async () => {
  const tree = new Tree();
  for (let count = 0; count < 100; count++) await tree.add(...Array.from({ length: 1000 }, () => randomBytes(8)));
  tree.read = 0;
  await tree.add(randomBytes(8));
  expect(tree.read).toBeLessThanOrEqual(1);
  const { size, nodes } = tree;
  const proof = await proveInclusion(nodes, 54_321, size);
  const root = await tree.root();
  const before = tree.read;
  expect(before).toBeLessThanOrEqual(10);
  expect(verifyInclusion({ index: 54_321, size, leaf: tree.hashes[54_321] ?? EMPTY_ROOT, root, proof })).toBe(true);
  expect(root).toEqual(treeHash(tree.hashes));
});
