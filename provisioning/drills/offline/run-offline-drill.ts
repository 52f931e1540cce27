import { ENFORCEMENTS, type Enforcement } from '../../../shared/lease/lease-token.ts';
import { formatLease } from '../../terminal/format-lease.ts';
import { NotHeld, wordsFor } from '../harness/not-held.ts';
import type { DrillRun, Outcome } from '../harness/run-drill-of-many.ts';
import { hasSoftTpm } from '../harness/soft-tpm.ts';
import { Site } from './harness/site.ts';
import type { OfflineCase } from './offline-case.ts';

/** `expected`: step by step, when what happens, and what is to be seen then. */
interface OfflineResult extends Outcome {
  readonly case: string;
  readonly enforcement: Enforcement;
}

/** Tries each case at each level of enforcement that it says something about. @throws what kept the drill itself from running */
export async function runOfflineDrill({
  things: cases,
  quick,
  say,
  onResult,
  signal,
}: DrillRun<OfflineCase, OfflineResult>): Promise<void> {
  const site = new Site();
  try {
    say('preparing a KMS and a box');
    await site.start();
    if (!site.hasHsm) say('SoftHSM2 is not installed: the KMS keeps its keys in software');
    // Without its machine a case fails at once.
    signal.addEventListener('abort', () => void site.clear());
    for (const offline of cases) {
      const levels = ENFORCEMENTS.filter((level) => (quick ? offline.quick.includes(level) : offline.steps[0]?.seen[level] !== undefined));
      for (const enforcement of levels) {
        const started = performance.now();
        const outcome = await tryCase(offline, enforcement, site);
        if (signal.aborted) return;
        const expected = offline.steps.map(({ when, seen }) => `${when}: ${seen[enforcement]}`).join('; ');
        const seconds = Math.round((performance.now() - started) / 100) / 10;
        onResult({ case: offline.name, enforcement, expected, ...outcome, seconds });
      }
    }
  } finally {
    await site.stop();
  }
}

async function tryCase(offline: OfflineCase, enforcement: Enforcement, site: Site): Promise<Pick<Outcome, 'held' | 'found'>> {
  if (enforcement === 'tpm' && !hasSoftTpm) return { held: null, found: 'needs swtpm and tpm2-tools' };
  try {
    return { held: true, found: await seenInCase(offline, enforcement, site) };
  } catch (error) {
    return { held: false, found: wordsFor(error) };
  } finally {
    await site.clear();
  }
}

/** @throws {NotHeld} at the first step after which something else is seen */
async function seenInCase({ steps }: OfflineCase, enforcement: Enforcement, site: Site): Promise<string> {
  await site.cloudComes();
  await site.newMachine(enforcement);
  await site.machine.start();
  await site.machine.enrolGuests();
  const found: string[] = [];
  for (const { when, seen: wanted, told, happen } of steps) {
    await happen(site.machine, site);
    const seen = await site.machine.see(wanted[enforcement] ?? '');
    found.push(seen);
    if (seen !== wanted[enforcement]) throw new NotHeld(`when ${when}: ${seen}`);
    const words = formatLease(await site.machine.lease());
    if (!words.includes(told?.[enforcement] ?? '')) throw new NotHeld(`when ${when}, lease show says: ${words}`);
  }
  return found.join('; ');
}
