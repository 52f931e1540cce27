interface Bucket {
  readonly seconds: number;
  readonly count: number;
}

/**
 * A quantile of what a histogram in Prometheus' text format has recorded between two looks, as its `histogram_quantile` gives
 * it: between the bounds of a bucket values are taken to be spread evenly.
 * @param before text of `/metrics` at the first look
 * @param after text of `/metrics` at the second
 * @returns milliseconds; null where nothing was recorded
 */
export function histogramQuantile(before: string, after: string, name: string, quantile: number): number | null {
  const earlier = bucketsOf(before, name);
  const buckets = bucketsOf(after, name).map(({ seconds, count }, index) => ({ seconds, count: count - (earlier[index]?.count ?? 0) }));
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const wanted = quantile * total;
  let below: Bucket = { seconds: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= wanted && bucket.seconds !== Number.POSITIVE_INFINITY) {
      return 1000 * (below.seconds + ((bucket.seconds - below.seconds) * (wanted - below.count)) / (bucket.count - below.count));
    }
    if (bucket.seconds !== Number.POSITIVE_INFINITY) below = bucket;
  }
  return below.seconds * 1000;
}

function bucketsOf(text: string, name: string): Bucket[] {
  return Array.from(text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm')), ([, bound, count]) => ({
    seconds: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
    count: Number(count),
  }));
}
