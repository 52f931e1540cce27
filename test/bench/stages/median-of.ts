import { Bench } from 'tinybench';

/** Milliseconds that each case takes: their medians. They run one after the other, each after a warm-up. */
export async function medianOf<Name extends string>(
  cases: Readonly<Record<Name, () => unknown>>,
  timeMs = 800,
): Promise<Record<Name, number>> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, iterations: 10, throws: true });
  for (const [name, work] of Object.entries<() => unknown>(cases)) bench.add(name, async () => void (await work()));
  await bench.run();
  return Object.fromEntries(
    bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name} was not measured`);
      return [name, result.latency.p50];
    }),
  ) as Record<Name, number>;
}
