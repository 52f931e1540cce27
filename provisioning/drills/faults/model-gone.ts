import { cp, rename } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { resolveSet } from '../../../models/registry/resolve-set.ts';
import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';
import { requireFound } from '../harness/search.ts';
import { STRUCK } from '../harness/venue.ts';

const TOLD_MS = 5000;
/** Pauses between the tries to start a thread grow to ten seconds. */
const BACK_MS = 12_000;

// Seen to fail with an inference part that is always "ready": nothing looked at the cameras, and /readyz knew of nothing.
export const modelGone: Fault = {
  name: 'model-gone',
  expected:
    'a model file that goes while the threads that need it die is model_missing on /readyz; it comes back, and so do they within 12 s',
  run: async (venue) => {
    const { detector } = await resolveSet();
    const store = dirname(dirname(detector.path));
    const box = await venue.box({
      imports: [new URL('../sabotage/kill-threads.ts', import.meta.url)],
      config: { modelsDir: 'models' },
    });
    await cp(store, box.path('models'), { recursive: true });
    const file = join(box.path('models'), relative(store, detector.path));
    await box.start();
    await rename(file, `${file}.away`);
    box.daemon.kill('SIGUSR2');
    await box.tells('inference: model_missing', TOLD_MS);
    const { cameras } = await box.daemon.nextStats();
    requireThat(
      cameras.every(({ state }) => state === 'live'),
      'a camera did not stay live',
    );
    await rename(`${file}.away`, file);
    const ms = await box.isReadyAgain(BACK_MS);
    const kept = await box.keepsFrames(async () => requireFound(venue, box, STRUCK));
    return `ready after ${(ms / 1000).toFixed(1)} s, afterwards ${kept}`;
  },
};
