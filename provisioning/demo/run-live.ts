import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import type { EdgeEvent } from '../../shared/messages/events.ts';
import { startCameras } from './camera/start-cameras.ts';
import { DaemonProcess } from './daemon/daemon-process.ts';
import { enrolGuests } from './enrolment/enrol-guests.ts';
import { FRAME } from './footage/script.ts';
import type { Prepared } from './prepare.ts';
import { EventPrinter } from './print/event-printer.ts';
import { introduction } from './print/introduction.ts';
import { invitation } from './print/invitation.ts';
import type { Palette } from './print/palette.ts';
import { type RunFolder, readAdminToken, writeConfig } from './run-folder.ts';

export interface LiveOptions {
  readonly prepared: Prepared;
  readonly run: RunFolder;
  readonly palette: Palette;
  /** Takes a line for people about what is being done. */
  readonly say: (line: string) => void;
  /** Takes a line of the show itself. */
  readonly print: (line: string) => void;
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
}

/**
 * Shows the product at work until `signal`: the footage begins again and again, sightings are printed as they happen.
 * @throws {SecureGateError} those of enrolment; `demo_failed` where the daemon ends by itself
 */
export async function runLive({ prepared, run, palette, say, print, signal }: LiveOptions): Promise<void> {
  const { loadConfig } = await import('../../edge/config/load-config.ts');
  const logger = createLogger('demo', { level: 'warn' });
  await writeConfig(run, {});
  say('enrolling the guests of two venues');
  const enrolled = await enrolGuests({ config: loadConfig(run.config), logger, photo: prepared.photo, now: Date.now() });
  for (const line of introduction(enrolled, palette)) print(line);
  if (signal.aborted) return;
  const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'loop' });
  try {
    await writeConfig(run, cameras.urls);
    const printer = new EventPrinter(new Map(enrolled.map(({ customerId, name }) => [customerId, name])), palette);
    const invite = async (api: string): Promise<void> => {
      try {
        for (const line of await invitation(api, await readAdminToken(run), palette)) print(line);
      } catch (error) {
        // The show goes on at the terminal.
        if (!signal.aborted) say(`there is no way into the console: ${SecureGateError.from(error).message}`);
      }
    };
    const onEvent = (event: EdgeEvent): void => {
      const line = printer.lineOf(event);
      if (line !== undefined) print(line);
      if (event.type === 'ready') void invite(event.api);
    };
    const daemon = new DaemonProcess({ configFile: run.config, logFile: run.log, onEvent });
    const ended = daemon.start();
    const stop = (): void => daemon.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    try {
      const end = await ended;
      if (!signal.aborted || end !== 0) throw new SecureGateError('demo_failed', `The daemon ended early (${end})`);
    } finally {
      signal.removeEventListener('abort', stop);
      daemon.kill('SIGKILL');
    }
  } finally {
    await cameras.stop();
  }
}
