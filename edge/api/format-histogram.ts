import type { HistogramValues } from '../runtime/histogram.ts';

/**
 * A histogram of seconds in Prometheus' text format, version 0.0.4. prom-client's own one can only be filled by observing each value.
 * @param series histograms by their labels as the format writes them, `stage="detect"`; none is an empty text
 */
export function formatHistogram(name: string, help: string, series: Readonly<Record<string, HistogramValues>>): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const [labels, { buckets, count, sumSeconds }] of Object.entries(series)) {
    const before = labels === '' ? '' : `${labels},`;
    for (const bucket of buckets) lines.push(`${name}_bucket{${before}le="${bucket.seconds}"} ${bucket.count}`);
    const own = labels === '' ? '' : `{${labels}}`;
    lines.push(`${name}_bucket{${before}le="+Inf"} ${count}`, `${name}_sum${own} ${sumSeconds}`, `${name}_count${own} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}
