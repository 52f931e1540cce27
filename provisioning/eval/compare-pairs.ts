import { setImmediate } from 'node:timers/promises';
import { FurthestPairs, type NamedPair } from './furthest-pairs.ts';
import { ScoreCounts } from './score-counts.ts';

/** A picture's face, as far as pairs need it. */
export interface ComparedFace {
  readonly identity: string;
  /** For people. */
  readonly name: string;
  /** The same for files of identical bytes. */
  readonly content: string;
  /** L2-normalised. */
  readonly embedding: Float32Array;
}

export interface PairScores {
  /** Pairs of two pictures of one person. */
  readonly genuine: ScoreCounts;
  /** Pairs of two people's pictures. */
  readonly impostor: ScoreCounts;
  /** Pairs left out since both files hold the same bytes: a picture is always like itself. */
  readonly copies: number;
  /** Where pictures lie in the wrong folder, these show it first: the least alike of one person, and the most alike of two people. */
  readonly suspicious: { readonly genuine: readonly NamedPair[]; readonly impostor: readonly NamedPair[] };
}

export interface ComparePairsOptions {
  /** Called now and then with how many pairs are compared. */
  readonly onProgress: (done: number, pairs: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Compares every face with every other one once. Only counts and a few names stay, so the memory does not grow with the pairs.
 * @throws the reason of `signal` when it is aborted
 */
export async function comparePairs(faces: readonly ComparedFace[], { onProgress, signal }: ComparePairsOptions): Promise<PairScores> {
  const genuine = new ScoreCounts();
  const impostor = new ScoreCounts();
  const leastAlike = new FurthestPairs(-1);
  const mostAlike = new FurthestPairs(1);
  let copies = 0;
  for (const [index, face] of faces.entries()) {
    for (let other = 0; other < index; other++) {
      const { identity, name, content, embedding } = faces[other] as ComparedFace;
      if (content === face.content) {
        copies += 1;
        continue;
      }
      const score = cosine(face.embedding, embedding);
      const isGenuine = identity === face.identity;
      (isGenuine ? genuine : impostor).add(score);
      (isGenuine ? leastAlike : mostAlike).add(score, name, face.name);
    }
    onProgress(((index + 1) * index) / 2, (faces.length * (faces.length - 1)) / 2);
    // Ctrl-C is heard between two rows.
    await setImmediate();
    signal.throwIfAborted();
  }
  return { genuine, impostor, copies, suspicious: { genuine: leastAlike.list, impostor: mostAlike.list } };
}

/** Of vectors of unit length. Four sums at a time, which do not wait for each other. */
function cosine(a: Float32Array, b: Float32Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = 0; i < a.length; i += 4) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
    s2 += (a[i + 2] as number) * (b[i + 2] as number);
    s3 += (a[i + 3] as number) * (b[i + 3] as number);
  }
  return s0 + s1 + s2 + s3;
}
