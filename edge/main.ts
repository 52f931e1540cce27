import { destination } from 'pino';
import { createLogger, type Logger } from '../shared/log/create-logger.ts';
import type { EdgeEvent } from '../shared/messages/events.ts';
import { loadConfig } from './config/load-config.ts';
import { Daemon } from './daemon.ts';
import { systemClock } from './runtime/clock.ts';

/** A part that hangs must not keep a box from going down. */
const SHUTDOWN_LIMIT_MS = 9000;
/** For the last line of the log. */
const LAST_WORDS_MS = 100;
const EVENT_BUFFER_BYTES = 4 * 1024 * 1024;

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
  const daemon = new Daemon({ config, clock: systemClock, logger, emit: openEventWriter(logger) });
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

/**
 * Writes events to stdout without ever blocking: a pipe whose reader is stuck would stop the whole daemon,
 * so what does not fit into the buffer is dropped and said in the log.
 */
function openEventWriter(logger: Logger): (event: EdgeEvent) => void {
  const stdout = destination({ fd: 1, sync: false, maxLength: EVENT_BUFFER_BYTES });
  stdout.on('drop', () => logger.warn('events dropped: nobody reads stdout'));
  stdout.on('error', (error) => logger.warn({ err: error }, 'events cannot be written'));
  return (event) => void stdout.write(`${JSON.stringify(event)}\n`);
}
