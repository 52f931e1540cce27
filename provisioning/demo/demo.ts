import { runLiveWithCloud } from './cloud/run-live-with-cloud.ts';
import { runOnceWithCloud } from './cloud/run-once-with-cloud.ts';
import { prepare } from './prepare.ts';
import { paletteFor } from './print/palette.ts';
import { resultLines } from './print/result-lines.ts';
import { makeRunFolder, removeRunFolder } from './run-folder.ts';
import { runLive } from './run-live.ts';
import { runOnce } from './run-once.ts';
import { isGood } from './score/make-result.ts';

export interface DemoOptions {
  /** A fixed stretch that is judged, instead of a show without end. */
  readonly once: boolean;
  /** The result as one JSON line; only with `once`. */
  readonly json: boolean;
  /** Leave the run's folder behind. */
  readonly keep: boolean;
  /** With a control plane, a KMS and a broker, by which the box is told what it has. */
  readonly withCloud: boolean;
}

/**
 * Shows the product doing its main job on footage made from photographs: two tenants, four cameras.
 * Results go to stdout, progress to stderr.
 * @returns whether the product kept its promises; a show without end always did
 * @throws {SecureGateError} what kept the demo from running
 */
export async function runDemo({ once, json, keep, withCloud }: DemoOptions): Promise<boolean> {
  const say = (line: string): void => void process.stderr.write(`demo: ${line}\n`);
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const prepared = await prepare(say);
  // Up to here an interrupt may end the process as it is. Now there are others to stop and a folder to remove.
  const interrupt = new AbortController();
  const end = (): void => interrupt.abort();
  process.once('SIGINT', end);
  // Whoever ends a whole group, as a terminal that is closed does, tells us twice: the launcher passes on what it hears.
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, end);
  // What is written to a terminal that is gone fails.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', end);
  const { signal } = interrupt;
  const run = await makeRunFolder(process.env);
  try {
    if (!once) {
      const palette = paletteFor(process.stdout, process.env);
      await (withCloud ? runLiveWithCloud : runLive)({ prepared, run, palette, say, print, signal });
      return true;
    }
    const result = await (withCloud ? runOnceWithCloud : runOnce)({ prepared, run, say, signal });
    for (const line of json ? [JSON.stringify(result)] : resultLines(result)) print(line);
    return isGood(result);
  } finally {
    if (keep) say(`everything of this run is in ${run.path}`);
    else await removeRunFolder(run);
  }
}
