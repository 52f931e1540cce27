import { type DestinationStream, type Logger, pino } from 'pino';
import { LineWriter } from './line-writer.ts';

export type { Logger };

/** Fields that are never written, wherever they turn up in a log record. */
const SECRET_FIELDS = [
  'key',
  'tek',
  'cek',
  'dek',
  'pin',
  'secret',
  'token',
  'password',
  'authorization',
  'embedding',
  'crop',
  'name',
  'url',
];

/**
 * The process's structured log: one JSON line a record on stderr (stdout belongs to results and events).
 * Fields that could hold a secret, a person or a camera's credentials are censored at any of the first two levels.
 */
export function createLogger(part: string, options: { level?: string; stream?: DestinationStream } = {}): Logger {
  return pino(
    {
      base: { part, pid: process.pid },
      level: options.level ?? process.env.SECUREGATE_LOG_LEVEL ?? 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    options.stream ?? stderrLines(),
  );
}

let stderrWriter: LineWriter | undefined;

/** One for the whole process, so that its lines keep their order and are flushed once. */
function stderrLines(): LineWriter {
  if (stderrWriter === undefined) {
    const writer = new LineWriter({ fd: 2 });
    process.once('exit', () => writer.flushSync());
    stderrWriter = writer;
  }
  return stderrWriter;
}
