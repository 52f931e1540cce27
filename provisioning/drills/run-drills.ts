import type { Fault, Thoroughness } from './fault.ts';
import { cpuUse, foreignShare } from './harness/cpu-use.ts';
import { TooSlow, wordsFor } from './harness/not-held.ts';
import type { DrillRun, Outcome } from './harness/run-drill-of-many.ts';
import { Venue } from './harness/venue.ts';

interface DrillResult extends Outcome {
  readonly fault: string;
}

/** Breaks one thing after the other. @throws what kept the drills themselves from running */
export async function runDrills({ things: faults, quick, say, onResult, signal }: DrillRun<Fault, DrillResult>): Promise<void> {
  const thoroughness: Thoroughness = { powerCuts: quick ? 10 : 200 };
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

async function tryFault(fault: Fault, venue: Venue, thoroughness: Thoroughness): Promise<Pick<Outcome, 'held' | 'found'>> {
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
