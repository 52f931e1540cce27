import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
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
const SECRETS = new Set(SECRET_FIELDS);
const CENSOR = '[redacted]';

/**
 * The process's structured log: one JSON line a record on stderr (stdout belongs to results and events).
 * Fields that could hold a secret, a person or a camera's credentials are censored at any of the first two levels.
 */
export function createLogger(part: string, options: { level?: string; stream?: DestinationStream } = {}): Logger {
  return pino(
    {
      base: { part, pid: process.pid },
      level: options.level ?? process.env.SECUREGATE_LOG_LEVEL ?? 'info',
      timestamp: isoTime,
      redact: { paths: SECRET_FIELDS, censor: CENSOR },
      // The second level. As paths with a wildcard, pino would look for each in every field, which takes longer than all the rest of a line.
      formatters: { log: censorInside },
      serializers: { err: (error: Error) => censored(stdSerializers.err(error)) },
    },
    options.stream ?? stderrLines(),
  );
}

let second = 0;
let untilSecond = '';

/** As pino writes it. Most lines come in the second of the one before, and to write all of it takes as long as the rest of a line. */
function isoTime(): string {
  const now = Date.now();
  const ms = now % 1000;
  if (now - ms !== second || untilSecond === '') {
    second = now - ms;
    untilSecond = `,"time":"${new Date(second).toISOString().slice(0, -'000Z'.length)}`;
  }
  return `${untilSecond}${String(ms).padStart(3, '0')}Z"`;
}

/** An error is read first, by its serializer. */
function censorInside(record: Record<string, unknown>): Record<string, unknown> {
  // Most records hold nothing that holds something.
  if (!holdsMore(record)) return record;
  const told = { ...record };
  for (const field in told) if (field !== 'err') told[field] = censored(told[field]);
  return told;
}

function holdsMore(record: Record<string, unknown>): boolean {
  for (const field in record) if (typeof record[field] === 'object') return true;
  return false;
}

function censored(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.keys(value).some((field) => SECRETS.has(field))) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, SECRETS.has(field) ? CENSOR : inner]));
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
