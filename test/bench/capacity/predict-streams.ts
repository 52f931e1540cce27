import type { Watched } from '../box/watch-box.ts';

/** CPU milliseconds that one stream costs in a second, by what does the work. */
export interface StreamCost {
  /** Order of the stages, motion gate, tracks: one thread for all streams. */
  readonly main: number;
  /** Detect, align, embed: the inference threads. */
  readonly inference: number;
  /** Reading, decoding and conversion to RGB. */
  readonly decode: number;
  /** Collector of garbage, vaults, and the test camera where it runs on the same machine. */
  readonly rest: number;
}

export interface Machine {
  readonly cores: number;
  readonly inferenceThreads: number;
}

export interface Prediction {
  readonly streams: number;
  readonly limit: 'cores' | 'inference threads' | 'main thread';
}

/**
 * Share of a resource that can be used without a frame skipped: pictures of many cameras come at once, and more people are in
 * view at one time than at another. As measured: on two cores 26 streams took 186 % of a core, and 28 were too many.
 */
const USABLE = 0.9;

export function costOf({ partsMs, cameraPct }: Pick<Watched, 'partsMs' | 'cameraPct'>): StreamCost {
  const { main, inference, decode, rest, vaults } = partsMs;
  return { main, inference, decode, rest: rest + vaults + cameraPct * 10 };
}

/** A machine of so many cores, with the inference threads that the daemon takes unless it is told otherwise. */
export function machineOf(cores: number): Machine {
  return { cores, inferenceThreads: Math.min(cores, 8) };
}

/** How many streams a machine keeps up with, and what it is that keeps it from more. */
export function predictStreams({ main, inference, decode, rest }: StreamCost, { cores, inferenceThreads }: Machine): Prediction {
  const limits: readonly (readonly [Prediction['limit'], number])[] = [
    ['cores', (cores * 1000) / (main + inference + decode + rest)],
    ['inference threads', (inferenceThreads * 1000) / inference],
    ['main thread', 1000 / main],
  ];
  const [limit, streams] = limits.reduce((least, other) => (other[1] < least[1] ? other : least));
  return { streams: USABLE * streams, limit };
}
