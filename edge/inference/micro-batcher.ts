import { SecureGateError } from '../../shared/errors/securegate-error.ts';

export interface MicroBatcherOptions<In, Out> {
  /** Computes a batch; gives one output an item, in the same order. */
  readonly run: (items: readonly In[]) => Promise<readonly Out[]>;
  /** Items that are computed at once at most. */
  readonly maxBatch: number;
  /** Batches that are computed at the same time at most. */
  readonly maxRunning: number;
  /** How long the first item of a batch waits for company, milliseconds. */
  readonly deadlineMs: number;
  /** Items that may wait; more are refused. */
  readonly maxWaiting: number;
  /** Starts a timer and returns how to stop it; replaced by tests. */
  readonly startTimer?: (ms: number, expired: () => void) => () => void;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (output: Out) => void;
  readonly reject: (error: unknown) => void;
}

function startSystemTimer(ms: number, expired: () => void): () => void {
  const timer = setTimeout(expired, ms);
  return () => clearTimeout(timer);
}

/**
 * Gathers items of many callers (all cameras of the box) into batches, which is what accelerators are built for; one thread of
 * a CPU takes as long for a batch as for its items one by one. A batch starts when it is full or when its first item has
 * waited `deadlineMs`. What arrives while as many run as may forms the next ones.
 */
export class MicroBatcher<In, Out> {
  readonly #options: MicroBatcherOptions<In, Out>;
  #waiting: Waiting<In, Out>[] = [];
  readonly #running = new Set<Promise<void>>();
  #stopTimer: (() => void) | null = null;
  /** The first waiting item has waited long enough. */
  #due = false;
  #stopped = false;

  constructor(options: MicroBatcherOptions<In, Out>) {
    this.#options = options;
  }

  /** Items that wait for their batch to start. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Computes one item, together with others where there are some.
   * @throws {SecureGateError} `overloaded` too many items wait, `stopped`; and whatever `run` throws for its batch
   */
  submit(item: In): Promise<Out> {
    if (this.#stopped) return Promise.reject(new SecureGateError('stopped', 'the batcher is stopped'));
    const { maxWaiting } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(new SecureGateError('overloaded', `${maxWaiting} items wait already`, { details: { maxWaiting } }));
    }
    return new Promise<Out>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#advance();
    });
  }

  /** Refuses what waits and lets the running batches finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#clearTimer();
    for (const { reject } of this.#waiting.splice(0)) reject(new SecureGateError('stopped', 'the batcher is stopped'));
    await Promise.all(this.#running);
  }

  #advance(): void {
    const { maxBatch, maxRunning, deadlineMs, startTimer = startSystemTimer } = this.#options;
    if (this.#running.size >= maxRunning || this.#stopped || this.#waiting.length === 0) return;
    if (this.#due || this.#waiting.length >= maxBatch) {
      this.#clearTimer();
      const batch: Promise<void> = this.#runBatch(this.#waiting.splice(0, maxBatch)).then(() => this.#goOn(batch));
      this.#running.add(batch);
    } else {
      this.#stopTimer ??= startTimer(deadlineMs, () => {
        this.#stopTimer = null;
        this.#due = true;
        this.#advance();
      });
    }
  }

  #clearTimer(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
    this.#due = false;
  }

  /** Never rejects: a failure belongs to the callers of this batch and to nobody else. */
  async #runBatch(batch: readonly Waiting<In, Out>[]): Promise<void> {
    try {
      const outputs = await this.#options.run(batch.map(({ item }) => item));
      if (outputs.length !== batch.length) {
        throw new SecureGateError('inference_failed', `${outputs.length} results for a batch of ${batch.length}`);
      }
      for (const [index, output] of outputs.entries()) batch[index]?.resolve(output);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  #goOn(ended: Promise<void>): void {
    this.#running.delete(ended);
    // What arrived during the run has waited for it already, at least one run's time.
    this.#due = this.#waiting.length > 0;
    this.#advance();
  }
}
