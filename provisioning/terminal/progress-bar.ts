/** The part of a terminal that a bar needs. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const WIDTH = 28;

/**
 * Shows how far a download (or what else is counted) is: on a terminal one bar that is drawn over again, elsewhere (a log) a plain line at the
 * beginning, at each further quarter and at the end.
 */
export class ProgressBar {
  readonly #output: ProgressOutput;
  readonly #amount: (done: number, total: number) => string;
  #what = '';
  #shown = -1;

  /** @param amount how much is done, in words; megabytes of bytes unless given */
  constructor(output: ProgressOutput, amount = megabytesOf) {
    this.#output = output;
    this.#amount = amount;
  }

  /** @param total 0 when it is not known */
  update(what: string, done: number, total: number): void {
    if (what !== this.#what) {
      this.end();
      this.#what = what;
    }
    const percent = total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : 0;
    const step = this.#output.isTTY ? percent : Math.floor(percent / 25);
    // A try that failed begins again: the bar goes back with it.
    if (step === this.#shown) return;
    this.#shown = step;
    const amount = this.#amount(done, total);
    if (this.#output.isTTY) {
      const filled = Math.round((percent / 100) * WIDTH);
      this.#output.write(`\r\x1b[K${what} [${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${percent} % (${amount})`);
    } else {
      this.#output.write(`${what}: ${percent} % (${amount})\n`);
    }
  }

  /** Leaves the bar as it stands and begins a new line. */
  end(): void {
    if (this.#shown >= 0 && this.#output.isTTY) this.#output.write('\n');
    this.#shown = -1;
    this.#what = '';
  }
}

function megabytesOf(done: number, total: number): string {
  return `${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
}
