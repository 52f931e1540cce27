import type { Fault, Thoroughness } from './fault.ts';
import { cpuUse, foreignShare } from './harness/cpu-use.ts';
import { NotHeld, TooSlow } from './harness/not-held.ts';
import { Venue } from './harness/venue.ts';

export interface DrillResult {
  readonly fault: string;
  readonly expected: string;
  /** Null where it could not be tried, or not judged, here. */
  readonly held: boolean | null;
  /** What was measured, or what went wrong, or what is missing here. */
  readonly found: string;
  readonly seconds: number;
}

export interface DrillOptions {
  readonly faults: readonly Fault[];
  readonly thoroughness: Thoroughness;
  /** Takes a line for people about what goes on. */
  readonly say: (line: string) => void;
  readonly onResult: (result: DrillResult) => void;
  /** Aborted when it is to end early. */
  readonly signal: AbortSignal;
}

/** Breaks one thing after the other. @throws what kept the drills themselves from running */
export async function runDrills({ faults, thoroughness, say, onResult, signal }: DrillOptions): Promise<void> {
  const venue = new Venue(say);
  try {
    await venue.start();
    // Without its box a drill fails at once, and puts away what it has set up.
    signal.addEventListener('abort', () => void venue.clear());
    for (const fault of faults) {
      const { name, expected } = fault;
      const started = performance.now();
      const outcome = await tryFault(fault, venue, thoroughness);
      if (signal.aborted) return;
      onResult({ fault: name, expected, ...outcome, seconds: Math.round((performance.now() - started) / 100) / 10 });
    }
  } finally {
    await venue.stop();
  }
}

/** Share of the machine from which on other programs make a box slow, and how often a drill is tried beside them. */
const MOST_FOREIGN = 0.25;
const TRIES = 3;

async function tryFault(fault: Fault, venue: Venue, thoroughness: Thoroughness): Promise<Pick<DrillResult, 'held' | 'found'>> {
  if (fault.needsRoot && process.getuid?.() !== 0) return { held: null, found: 'needs root, to mount a small disk of its own' };
  let found = '';
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const before = await cpuUse();
    try {
      return { held: true, found: await fault.run(venue, thoroughness) };
    } catch (error) {
      const foreign = foreignShare(before, await cpuUse());
      if (!(error instanceof TooSlow && foreign > MOST_FOREIGN)) return { held: false, found: wordsFor(error) };
      found = `${error.message}, while other programs took ${(foreign * 100).toFixed(0)} % of the machine`;
    } finally {
      await venue.clear();
    }
  }
  return { held: null, found };
}

function wordsFor(error: unknown): string {
  if (error instanceof NotHeld) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
