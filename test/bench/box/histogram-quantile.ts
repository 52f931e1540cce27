/**
 * A quantile of a histogram in Prometheus' text format, as its `histogram_quantile` gives it: between the bounds of a bucket
 * values are taken to be spread evenly.
 * @param text of `/metrics`
 * @returns milliseconds; null where nothing was recorded
 */
export function histogramQuantile(text: string, name: string, quantile: number): number | null {
  const buckets = Array.from(text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm')), ([, bound, count]) => ({
    seconds: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
    count: Number(count),
  }));
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const wanted = quantile * total;
  let below = { seconds: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= wanted) {
      if (bucket.seconds === Number.POSITIVE_INFINITY) return below.seconds * 1000;
      return 1000 * (below.seconds + ((bucket.seconds - below.seconds) * (wanted - below.count)) / (bucket.count - below.count));
    }
    below = bucket;
  }
  return below.seconds * 1000;
}
