import type { Fault } from '../fault.ts';
import { requireThat } from '../harness/not-held.ts';
import { requireFound, search } from '../harness/search.ts';
import { STRUCK } from '../harness/venue.ts';

const TOLD_MS = 3000;
const MOST_LINES = 20;

// Seen to fail with a line for each frame (91 in a few seconds), and with an inference part that is always "ready".
export const inferenceError: Fault = {
  name: 'inference-error',
  expected:
    'while every model fails /readyz says inference_failed, the cameras stay live, the log stays short; then all is well within 3 s',
  run: async (venue) => {
    const box = await venue.box({ imports: [new URL('../sabotage/fail-inference.ts', import.meta.url)] });
    await box.start();
    const from = box.daemon.events.length;
    const linesBefore = (await box.daemon.log()).split('\n').length;
    box.daemon.kill('SIGUSR2');
    await box.tells('inference: inference_failed', TOLD_MS);
    requireThat((await search(venue, box, STRUCK)) === 'inference_failed', 'a search did not say inference_failed');
    for (let report = 0; report < 4; report += 1) await box.daemon.nextStats();
    box.requireAllLive(from);
    const lines = (await box.daemon.log()).split('\n').length - linesBefore;
    requireThat(lines <= MOST_LINES, `${lines} lines of log in a few seconds`);
    box.daemon.kill('SIGUSR2');
    await box.isReadyAgain(TOLD_MS);
    const kept = await box.keepsFrames(async () => requireFound(venue, box, STRUCK));
    return `${lines} lines of log, afterwards ${kept}`;
  },
};
