import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';

export interface LineWriterOptions {
  /** Where to write: 1 or 2. */
  readonly fd: number;
  /** Called when lines begin to be lost, with what the system says, or with nothing when the reader is too slow; then not again until some get through. */
  readonly onLost?: (error: Error | undefined) => void;
}

/** Bytes that wait for a slow reader. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
const FULL_PIPE_PAUSE_MS = 100;
/** Between two writes: one takes as long as many a request. A line that comes alone is written at once. */
const GATHER_MS = 10;
const NOTHING = Buffer.alloc(0);

/**
 * Writes lines without ever blocking or stopping the process: neither a reader that is stuck, nor one that is gone, nor a full
 * disk behind a redirection is a reason for a box to stand still. What cannot be written is lost; what comes later is tried again.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  #waiting: string[] = [];
  /** Of the write before, what did not get through. */
  #left: Buffer = NOTHING;
  /** Of both. */
  #bytes = 0;
  #writing = false;
  #losing = false;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > MOST_WAITING_BYTES) {
      this.#lost(undefined);
      return;
    }
    this.#waiting.push(line);
    this.#bytes += bytes;
    if (!this.#writing) this.#writeOn();
  }

  /** Writes what waits before the process ends. One try, which a pipe's stuck reader cannot block. */
  flushSync(): void {
    const rest = this.#takeAll();
    this.#bytes -= rest.length;
    if (rest.length === 0) return;
    try {
      const fd = unblocked(this.#options.fd);
      for (let done = 0; done < rest.length; ) done += writeSync(fd, rest, done);
    } catch (error) {
      this.#lost(error instanceof Error ? error : undefined);
    }
  }

  #writeOn(): void {
    const chunk = this.#takeAll();
    this.#writing = chunk.length > 0;
    if (!this.#writing) return;
    write(this.#options.fd, chunk, (error, written) => {
      const full = error?.code === 'EAGAIN';
      const left = error === null || full ? chunk.subarray(written) : chunk.subarray(0, 0);
      this.#bytes -= chunk.length - left.length;
      if (left.length > 0) this.#left = left;
      if (error === null) this.#losing = false;
      else if (!full) this.#lost(error);
      const pause = setTimeout(() => this.#writeOn(), full ? FULL_PIPE_PAUSE_MS : GATHER_MS);
      if (full) pause.unref();
    });
  }

  #takeAll(): Buffer {
    const all = Buffer.concat([this.#left, Buffer.from(this.#waiting.splice(0).join(''))]);
    this.#left = NOTHING;
    return all;
  }

  #lost(error: Error | undefined): void {
    if (this.#losing) return;
    this.#losing = true;
    this.#options.onLost?.(error);
  }
}

/**
 * The same pipe or terminal, opened once more so that writing to it does not block. A file never blocks and stays as it is: opened
 * anew it would have a position of its own, and a write under way would then overwrite this one. A socket (the journal's) cannot be
 * opened, and stays as it is too.
 */
function unblocked(fd: number): number {
  const kind = fstatSync(fd);
  if (kind.isFile() || kind.isSocket()) return fd;
  return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
}
