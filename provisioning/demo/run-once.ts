import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { startCameras } from './camera/start-cameras.ts';
import { DaemonProcess } from './daemon/daemon-process.ts';
import { enrolGuests } from './enrolment/enrol-guests.ts';
import { CAMERAS, DURATION_MS, FRAME } from './footage/script.ts';
import type { Prepared } from './prepare.ts';
import { type RunFolder, writeConfig } from './run-folder.ts';
import type { ByteSearch } from './scan/byte-search.ts';
import { checkCanaries } from './scan/check-canaries.ts';
import { type Findings, scanFolder } from './scan/scan-folder.ts';
import { secretsSearch } from './scan/secrets-search.ts';
import { countForeignCandidates } from './score/count-foreign-candidates.ts';
import { type DemoResult, makeResult } from './score/make-result.ts';
import { scoreSightings } from './score/score-sightings.ts';
import { Watch } from './watch.ts';

/** Longest time from the daemon's start to the end of the footage, beyond the footage's own length. */
const PATIENCE_MS = 60_000;

/**
 * One run over the whole footage: enrols, watches, looks for plaintext while the daemon runs and after a power cut,
 * and compares what was seen with the script.
 * @param say takes a line for people
 * @throws {SecureGateError} `demo_failed`, those of enrolment
 */
export async function runOnce(prepared: Prepared, run: RunFolder, say: (line: string) => void): Promise<DemoResult> {
  const logger = createLogger('demo', { level: 'warn' });
  const { loadConfig } = await import('../../edge/config/load-config.ts');
  await writeConfig(run, {});
  say('enrolling the guests of two venues');
  const enrolled = await enrolGuests({ config: loadConfig(run.config), logger, photo: prepared.photo, now: Date.now() });
  const secrets = {
    embeddings: enrolled.flatMap(({ embeddings }) => embeddings),
    names: enrolled.map(({ name }) => name),
    pictures: enrolled.flatMap(({ pictures }) => pictures),
  };
  const search = secretsSearch(secrets);
  await checkCanaries(run.data, secrets, search);
  say(`watching four cameras for ${DURATION_MS / 1000} s`);
  const { watch, leaks } = await watchFootage(prepared, run, search);
  say('looking at what a power cut left on the disk');
  leaks.push(await scanFolder(run.path, search));
  const foreignCandidates = await countForeignCandidates(loadConfig(run.config), logger, enrolled);
  const score = scoreSightings(watch.sightings, new Map(enrolled.map((guest) => [guest.customerId, guest])));
  for (const remark of score.remarks) say(remark);
  for (const [file, labels] of leaks.flatMap((findings) => Array.from(findings))) say(`${file} holds ${Array.from(labels).join('; ')}`);
  return makeResult({ stats: watch.stats, score, foreignCandidates, leaks });
}

/** Runs the daemon on the footage, searches the disk in mid-run, and cuts the daemon's power at the end. */
async function watchFootage(prepared: Prepared, run: RunFolder, search: ByteSearch): Promise<{ watch: Watch; leaks: Findings[] }> {
  const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'once' });
  try {
    await writeConfig(run, cameras.urls);
    const watch = new Watch({ cameras: CAMERAS.length, halfwayMs: DURATION_MS / 2 });
    const daemon = new DaemonProcess({ configFile: run.config, logFile: run.log, onEvent: (event) => watch.take(event) });
    const ended = daemon.start();
    try {
      const leaks: Findings[] = [];
      const watched = watch.halfway.then(async () => {
        leaks.push(await scanFolder(run.path, search));
        await watch.over;
      });
      await inTime(Promise.race([watched, ended.then((end) => fail(`The daemon ended early (${end})`))]));
      return { watch, leaks };
    } finally {
      daemon.kill('SIGKILL');
      await ended;
    }
  } finally {
    await cameras.stop();
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new SecureGateError('demo_failed', 'The footage did not come to its end in time');
    timer = setTimeout(() => reject(error), DURATION_MS + PATIENCE_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function fail(message: string): never {
  throw new SecureGateError('demo_failed', message);
}
