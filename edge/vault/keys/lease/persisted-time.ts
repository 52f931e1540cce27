import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMissing } from '../../../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { writeFileDurably } from '../../../runtime/write-file-durably.ts';
import type { TrustedTime } from './trusted-time.ts';

/** Later than any lease ends: the year 9999. */
const UNKNOWN = Date.UTC(9999, 0);

export interface PersistedTimeOptions {
  /** Where the highest time seen so far is kept; its folder is made where there is none. */
  readonly file: string;
  /** The machine's clock (RTC), milliseconds since the Unix epoch. Read once, at the start. */
  readonly rtc: () => number;
  /** CLOCK_BOOTTIME, milliseconds: goes on while the machine is suspended. */
  readonly bootTime: () => number;
}

/**
 * Time with its highest mark on the disk. While it runs, only CLOCK_BOOTTIME moves it: setting the machine's clock, either way,
 * changes nothing. A clock that was far ahead at the start stays believed, and its mark stays, until a token says otherwise.
 * Time without power counts only as far as the machine's clock tells it. A mark that is damaged could have been any, so every lease counts as
 * ended until a token is believed. Whoever puts an older disk back has put the mark back too: only the TPM's cache sees that.
 */
export class PersistedTime implements TrustedTime {
  readonly #options: PersistedTimeOptions;
  #start = UNKNOWN;
  #startedAt = 0;

  constructor(options: PersistedTimeOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `storage_failed` */
  start(): void {
    const { file, rtc } = this.#options;
    this.#set(Math.max(readMark(file), rtc()));
  }

  now(): number {
    return this.#start + this.#options.bootTime() - this.#startedAt;
  }

  async believe(at: number): Promise<void> {
    this.#set(at);
    await this.persist();
  }

  async persist(): Promise<void> {
    const { file } = this.#options;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileDurably(file, Buffer.from(encodeMark(this.now())));
    } catch (error) {
      throw SecureGateError.from(error, 'storage_failed');
    }
  }

  #set(now: number): void {
    this.#start = now;
    this.#startedAt = this.#options.bootTime();
  }
}

/** The mark, or 0 when there is none yet. */
function readMark(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    if (isMissing(error)) return 0;
    throw SecureGateError.from(error, 'storage_failed');
  }
  const at = Number(text.split(' ')[0]);
  return Number.isSafeInteger(at) && text === encodeMark(at) ? at : UNKNOWN;
}

function encodeMark(at: number): string {
  return `${at} ${createHash('sha256').update(String(at)).digest('hex')}\n`;
}
