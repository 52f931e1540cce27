import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { QuantileValues } from './quantiles.ts';

const RESOLUTION_MS = 10;

/** How late the event loop runs its timers: a timer every 10 ms whose lateness is recorded. */
export class EventLoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Milliseconds of lateness; the histogram itself counts the timer's own interval as well. */
  values(): QuantileValues {
    const late = (percentile: number): number => Math.max(0, this.#histogram.percentile(percentile) / 1e6 - RESOLUTION_MS);
    return { p50: late(50), p95: late(95), p99: late(99) };
  }
}
