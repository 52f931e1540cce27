import type { Sample } from './sample.ts';

/** Time after which a box has all that it needs. */
const SETTLED_S = 300;
/** Part of the run over which a figure is taken as its median: a moment says little. */
const WINDOW = 0.1;
const MOST_GROWTH = 0.05;
/** A few more or less of what is counted one by one mean nothing. */
const MOST_MORE = 5;

export interface Growth {
  readonly settled: number;
  readonly end: number;
  readonly good: boolean;
}

export interface Verdict {
  readonly rssMb: Growth;
  readonly handles: Growth;
  readonly descriptors: Growth;
  readonly threads: Growth;
  readonly good: boolean;
}

/** Compares the end of a run with the moment when it had settled: after five minutes, or the half of a shorter run. */
export function judge(samples: readonly Sample[]): Verdict {
  const lasted = samples.at(-1)?.seconds ?? 0;
  const from = Math.min(SETTLED_S, lasted / 2);
  const window = lasted * WINDOW;
  const settled = samples.filter(({ seconds }) => seconds >= from && seconds <= from + window);
  const end = samples.filter(({ seconds }) => seconds >= lasted - window);
  const grow = (of: (sample: Sample) => number, slack: number): Growth => {
    const [first, last] = [median(settled.map(of)), median(end.map(of))];
    return { settled: first, end: last, good: last <= first * (1 + MOST_GROWTH) + slack };
  };
  const rssMb = grow(({ daemonMb, vaultsMb }) => daemonMb + vaultsMb, 0);
  const handles = grow((sample) => sample.handles, MOST_MORE);
  const descriptors = grow((sample) => sample.descriptors, MOST_MORE);
  const threads = grow((sample) => sample.threads, MOST_MORE);
  return { rssMb, handles, descriptors, threads, good: [rssMb, handles, descriptors, threads].every(({ good }) => good) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
