import type { Clock } from '../runtime/clock.ts';
import type { Histogram } from '../runtime/histogram.ts';

/** What failed is not recorded: it says nothing of how long the work takes. */
export async function timed<Result>(clock: Clock, times: Histogram, work: Promise<Result>): Promise<Result> {
  const begunAt = clock.monotonic();
  const result = await work;
  times.record(clock.monotonic() - begunAt);
  return result;
}
