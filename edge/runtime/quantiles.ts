import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface QuantileValues {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Distribution of durations in milliseconds, kept in microseconds (HDR histogram, three significant digits). */
export class Quantiles {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });

  record(milliseconds: number): void {
    this.#histogram.record(Math.max(1, Math.round(milliseconds * 1000)));
  }

  /** Milliseconds; zeros while nothing is recorded. */
  values(): QuantileValues {
    if (this.#histogram.count === 0) return { p50: 0, p95: 0, p99: 0 };
    const at = (percentile: number): number => this.#histogram.percentile(percentile) / 1000;
    return { p50: at(50), p95: at(95), p99: at(99) };
  }
}
