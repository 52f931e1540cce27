import { createLogger, type Logger } from '../shared/log/create-logger.ts';
import { LineWriter } from '../shared/log/line-writer.ts';
import { loadConfig } from './config/load-config.ts';
import { Daemon } from './daemon.ts';
import { systemClock } from './runtime/clock.ts';

/** A part that hangs must not keep a box from going down. */
const SHUTDOWN_LIMIT_MS = 9000;
/** For the last line of the log. */
const LAST_WORDS_MS = 100;

/**
 * Runs the daemon until SIGTERM or SIGINT. Events go to stdout, one JSON object a line; the log goes to stderr.
 * @returns the exit code: 0 after a clean stop, also one that came before the start was over; 1 when a part failed to stop
 * @throws {SecureGateError} what kept the daemon from starting
 */
export async function runEdge(configFile: string): Promise<number> {
  const logger = createLogger('edge');
  const config = loadConfig(configFile);
  const abort = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        // Holds to the very end: after a clean stop a reader who never reads may still keep the process from ending.
        setTimeout(() => giveUp(logger), SHUTDOWN_LIMIT_MS).unref();
        abort.abort();
        resolve(signal);
      });
    }
  });
  const events = new LineWriter({
    fd: 1,
    onLost: (error) => logger.warn({ err: error }, 'events are lost: nobody reads stdout, or it cannot be written'),
  });
  const daemon = new Daemon({ config, clock: systemClock, logger, emit: (event) => events.write(`${JSON.stringify(event)}\n`) });
  try {
    await daemon.start(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    logger.info({ signal: await stopped }, 'stopped before the start was over');
    return 0;
  }
  logger.info({ tenants: config.tenants.length, cameras: config.cameras.length }, 'started');
  logger.info({ signal: await stopped }, 'stopping');
  const failed = await daemon.stop();
  logger.info({ failed }, 'stopped');
  return failed.length === 0 ? 0 : 1;
}

/** `process.exit` would wait for the very thread that hangs (in a write, in the look-up of a camera's name). */
function giveUp(logger: Logger): void {
  logger.error('did not stop in time');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_WORDS_MS);
}
