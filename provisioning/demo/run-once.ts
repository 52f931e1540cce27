import { createLogger } from '../../shared/log/create-logger.ts';
import { startCameras } from './camera/start-cameras.ts';
import { DaemonProcess } from './daemon/daemon-process.ts';
import { enrolGuests, withEnrolment } from './enrolment/enrol-guests.ts';
import { followFootage } from './follow-footage.ts';
import { CAMERAS, DURATION_MS, FRAME } from './footage/script.ts';
import type { Prepared } from './prepare.ts';
import { type RunFolder, writeConfig } from './run-folder.ts';
import type { ByteSearch } from './scan/byte-search.ts';
import { checkCanaries } from './scan/check-canaries.ts';
import { type Findings, scanFolder } from './scan/scan-folder.ts';
import { secretsOf } from './scan/secrets-of.ts';
import { secretsSearch } from './scan/secrets-search.ts';
import { ALL_CANDIDATES, countForeignCandidates } from './score/count-foreign-candidates.ts';
import { judge } from './score/judge.ts';
import type { DemoResult } from './score/make-result.ts';
import { Watch } from './watch.ts';

export interface OnceOptions {
  readonly prepared: Prepared;
  readonly run: RunFolder;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
  /** Aborted when it is to end early. */
  readonly signal: AbortSignal;
}

/**
 * One run over the whole footage: enrols, watches, looks for plaintext while the daemon runs and after a power cut,
 * and compares what was seen with the script.
 * @throws {SecureGateError} `demo_failed`, `stopped` by the signal, those of enrolment
 */
export async function runOnce({ prepared, run, say, signal }: OnceOptions): Promise<DemoResult> {
  const logger = createLogger('demo', { level: 'warn' });
  const { loadConfig } = await import('../../edge/config/load-config.ts');
  await writeConfig(run, {});
  say('enrolling the guests of two venues');
  const enrolled = await enrolGuests({ config: loadConfig(run.config), logger, photo: prepared.photo, now: Date.now() });
  const secrets = secretsOf(enrolled);
  const search = secretsSearch(secrets);
  await checkCanaries(run.data, secrets, search);
  say(`watching four cameras for ${DURATION_MS / 1000} s`);
  const { watch, leaks } = await watchFootage(prepared, run, search, signal);
  say('looking at what a power cut left on the disk');
  leaks.push(await scanFolder(run.path, search));
  const foreignCandidates = await withEnrolment(loadConfig(run.config), logger, (enrolment) =>
    countForeignCandidates(enrolled, (tenant, { embedding }) => enrolment.search(tenant, embedding, ALL_CANDIDATES)),
  );
  return judge({ watch, enrolled, foreignCandidates, leaks }, say);
}

/** Runs the daemon on the footage, searches the disk in mid-run, and cuts the daemon's power at the end. */
async function watchFootage(
  prepared: Prepared,
  run: RunFolder,
  search: ByteSearch,
  signal: AbortSignal,
): Promise<{ watch: Watch; leaks: Findings[] }> {
  const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'once' });
  try {
    await writeConfig(run, cameras.urls);
    const watch = new Watch({ cameras: CAMERAS.length, halfwayMs: DURATION_MS / 2 });
    const daemon = new DaemonProcess({ configFile: run.config, logFile: run.log, onEvent: (event) => watch.take(event) });
    const ended = daemon.start();
    try {
      return { watch, leaks: [await followFootage({ watch, ended, folder: run.path, search, signal })] };
    } finally {
      daemon.kill('SIGKILL');
      await ended;
    }
  } finally {
    await cameras.stop();
  }
}
