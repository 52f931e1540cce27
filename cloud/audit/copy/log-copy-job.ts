import type { ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { BackOff } from '../../../shared/runtime/back-off.ts';
import type { JobLeases } from '../../store/job-leases.ts';
import type { AuditLog } from '../audit-log.ts';
import type { CopyRecords } from './copy-records.ts';
import type { LogCopy } from './log-copy.ts';

const COPY_EVERY_MS = 60_000;
const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** What does not mend itself: somebody has to look, and the log tells that it was so. */
const ALARMS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['log_copy_differs', 'log_bucket_unlocked', 'bucket_refused']);

export interface LogCopyJobOptions {
  readonly records: CopyRecords;
  readonly copy: Pick<LogCopy, 'copy'>;
  readonly leases: JobLeases;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly now: () => number;
  readonly random: () => number;
  readonly logger: Logger;
}

/** How far the copy is. */
export interface LogCopyState {
  /** Where it is. */
  readonly bucket: string;
  readonly log: string;
  /** Leaves under the newest head that is there, and how many there are that are not. */
  readonly size: number;
  readonly lag: number;
  /** When all was there, milliseconds since the Unix epoch. */
  readonly copiedAt: number | null;
  /** Code of what keeps it from going on. */
  readonly problem: string | null;
}

/** Copies the log every minute; one process of all at a time. What fails is tried again for ever, and keeps nobody from anything. */
export class LogCopyJob {
  readonly #options: LogCopyJobOptions;
  readonly #stopping = new AbortController();
  readonly #backOff: BackOff;
  readonly #failures: Record<string, number> = {};
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: LogCopyJobOptions) {
    this.#options = options;
    this.#backOff = new BackOff(FIRST_RETRY_MS, LONGEST_RETRY_MS, options.random);
  }

  /** How often it failed in this process, by code. */
  get failures(): Readonly<Record<string, number>> {
    return this.#failures;
  }

  /** How far it is, whichever process brought it there. */
  async state(): Promise<LogCopyState> {
    const { records } = this.#options;
    const { record, leaves } = await records.read();
    const { log, size, copied_at: copiedAt, problem } = record;
    return { bucket: records.bucket, log, size, lag: Math.max(0, leaves - size), copiedAt, problem: problem || null };
  }

  start(): void {
    this.#last = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#last;
  }

  async #run(): Promise<void> {
    const wait = (await this.look()) ? COPY_EVERY_MS : this.#backOff.next();
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#last = this.#run();
    }, wait);
  }

  /** Copies what there is to copy, unless another process is about it. @returns whether all went well */
  async look(): Promise<boolean> {
    const { copy, leases, logger } = this.#options;
    try {
      await leases.run('log-copy', async (lost) => {
        const stop = AbortSignal.any([lost, this.#stopping.signal]);
        try {
          await copy.copy(stop);
        } catch (error) {
          // Whoever took it over tells how it goes on.
          if (!stop.aborted) await this.#tell(SecureGateError.from(error));
          throw error;
        }
      });
      this.#backOff.reset();
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted) logger.error({ err: SecureGateError.from(error) }, 'the log could not be copied to its bucket');
      return false;
    }
  }

  async #tell({ code }: SecureGateError): Promise<void> {
    const { records, audit, now } = this.#options;
    this.#failures[code] = (this.#failures[code] ?? 0) + 1;
    const { record } = await records.read();
    if (record.problem === code) return;
    await records.move({ ...record, problem: code });
    if (!ALARMS.has(code)) return;
    const about = { request: '', actor: 'control-plane', operation: 'audit.copy', org: '', tenant: '', target: record.log };
    await audit.record({ at: now(), ...about, outcome: code, evidence: '' });
  }
}
