import { destination } from 'pino';
import { createLogger, type Logger } from '../shared/log/create-logger.ts';
import type { EdgeEvent } from '../shared/messages/events.ts';
import { loadConfig } from './config/load-config.ts';
import { Daemon } from './daemon.ts';
import { systemClock } from './runtime/clock.ts';

/** A part that hangs must not keep a box from going down. */
const SHUTDOWN_LIMIT_MS = 9000;
const EVENT_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Runs the daemon until SIGTERM or SIGINT. Events go to stdout, one JSON object a line; the log goes to stderr.
 * @returns the exit code: 0 after a clean stop, 1 when a part failed to stop
 * @throws {SecureGateError} what kept the daemon from starting
 */
export async function runEdge(configFile: string): Promise<number> {
  const logger = createLogger('edge');
  const config = loadConfig(configFile);
  const abort = new AbortController();
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        abort.abort();
        resolve(signal);
      });
    }
  });
  const events = openEventWriter(logger);
  const daemon = new Daemon({ config, clock: systemClock, logger, emit: events.write });
  try {
    await daemon.start(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    events.flush();
    logger.info({ signal: await stopped, err: error }, 'stopped before it had started');
    return 0;
  }
  logger.info({ tenants: config.tenants.length, cameras: config.cameras.length }, 'started');
  logger.info({ signal: await stopped }, 'stopping');
  const deadline = setTimeout(() => {
    logger.fatal('did not stop in time');
    process.exit(1);
  }, SHUTDOWN_LIMIT_MS);
  const failed = await daemon.stop();
  clearTimeout(deadline);
  events.flush();
  logger.info({ failed }, 'stopped');
  return failed.length === 0 ? 0 : 1;
}

/**
 * Writes events to stdout without ever blocking: a pipe whose reader is stuck would stop the whole daemon,
 * so what does not fit into the buffer is dropped and said in the log.
 */
function openEventWriter(logger: Logger): { write: (event: EdgeEvent) => void; flush: () => void } {
  const stdout = destination({ fd: 1, sync: false, maxLength: EVENT_BUFFER_BYTES });
  stdout.on('drop', () => logger.warn('events dropped: nobody reads stdout'));
  stdout.on('error', (error) => logger.warn({ err: error }, 'events cannot be written'));
  return { write: (event) => void stdout.write(`${JSON.stringify(event)}\n`), flush: () => stdout.flushSync() };
}
