import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../models/registry/project-root.ts';
import { Venue } from '../../provisioning/drills/harness/venue.ts';
import { drawChart } from './draw-chart.ts';
import { judge } from './judge.ts';
import { type LoadCounts, load } from './load.ts';
import { type Sample, takeSample } from './sample.ts';

/** Entry of `npm run soak -- MINUTES`: a box at work for long, which must not take more and more. */
const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) {
  process.stderr.write('soak: give the minutes that it is to last, as in: npm run soak -- 30\n');
  process.exit(2);
}
const say = (line: string): void => void process.stderr.write(`soak: ${line}\n`);

const venue = new Venue(say);
const samples: Sample[] = [];
const counts: LoadCounts = { searches: 0, enrolments: 0, streamedBytes: 0 };
try {
  await venue.start();
  const insides = venue.path('insides.json');
  const probe = new URL('./tell-insides.ts', import.meta.url);
  probe.searchParams.set('file', insides);
  const box = await venue.box({ imports: [probe] });
  await box.start();
  const over = new AbortController();
  const working = load(venue, box, counts, over.signal);
  const sampling = (async () => {
    const until = performance.now() + minutes * 60_000;
    // The first report comes before the insides are told.
    await box.daemon.nextStats();
    for (let told = 0; performance.now() < until; ) {
      const sample = await takeSample(box.daemon.pid, insides, await box.daemon.nextStats());
      samples.push(sample);
      // All that was reported is in the samples by now.
      box.daemon.events.length = 0;
      if (Math.floor(sample.seconds / 60) === told) continue;
      told = Math.floor(sample.seconds / 60);
      say(`${told} min: ${(sample.daemonMb + sample.vaultsMb).toFixed(0)} MB, ${sample.skipped} frames skipped`);
    }
  })();
  await Promise.race([sampling, working]);
  over.abort();
  await Promise.all([sampling, working]);
  await box.stop();
} finally {
  await venue.stop();
}
const folder = join(projectRoot(), '.cache', 'soak');
await mkdir(folder, { recursive: true });
const chart = join(folder, 'soak.svg');
await writeFile(chart, drawChart(samples));
const { good, ...growth } = judge(samples);
const { frames = 0, skipped = 0 } = samples.at(-1) ?? {};
say(`the figures over time are in ${chart}`);
process.stdout.write(`${JSON.stringify({ minutes, ...growth, frames, skipped, ...counts, chart, good })}\n`);
process.exitCode = good ? 0 : 1;
