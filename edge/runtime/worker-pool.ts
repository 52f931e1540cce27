import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { pause } from './pause.ts';

/** A thread that is not done by then hangs. */
const LONGEST_END_MS = 5000;

/** What a worker is told in the place of a request: to end. */
export const END = 'end';

/** What a worker posts: once `ready`, then one answer for each task, and why it ends where nobody has told it to. */
export type WorkerMessage =
  | { readonly type: 'ready'; readonly info: unknown }
  | { readonly type: 'ended'; readonly error: ReturnType<SecureGateError['toJSON']>; readonly stack: string | undefined }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: ReturnType<SecureGateError['toJSON']> };

interface Task {
  readonly request: unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SecureGateError) => void;
}

interface Slot {
  worker: Worker | undefined;
  task: Task | undefined;
  /** Why there is no thread. */
  absence: ErrorCode | null;
}

export interface WorkerPoolOptions {
  readonly entry: URL;
  readonly size: number;
  /** Given to each worker as `workerData`. */
  readonly workerData: unknown;
  readonly logger: Logger;
}

/**
 * Threads for work that would block the event loop. Each does one task at a time, the rest waits in order.
 * A thread that dies fails its task with `inference_failed` and is replaced.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: Slot[];
  /** All threads that run, also those that are not ready yet. */
  readonly #workers = new Set<Worker>();
  readonly #waiting: Task[] = [];
  readonly #abort = new AbortController();
  /** How the last task failed, until one is done. */
  #failure: ErrorCode | null = null;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.size }, () => ({ worker: undefined, task: undefined, absence: null }));
  }

  /** Tasks that wait for a thread. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Why not all is well: a thread is missing, or the last task failed. Null while it is. */
  get trouble(): ErrorCode | null {
    return this.#slots.find(({ absence }) => absence !== null)?.absence ?? this.#failure;
  }

  /**
   * @returns what the first worker said of itself when it was ready
   * @throws {SecureGateError} what kept a worker from starting
   */
  async start(): Promise<unknown> {
    const infos = await Promise.all(this.#slots.map((slot) => this.#launch(slot)));
    return infos[0];
  }

  /** Ends the threads once they are done with what they are at; tasks that wait reject with `stopped`. */
  async stop(): Promise<void> {
    this.#abort.abort();
    for (const task of this.#waiting.splice(0)) task.reject(new SecureGateError('stopped', 'The inference threads were stopped'));
    const calm = new AbortController();
    void Promise.allSettled(Array.from(this.#workers, (worker) => once(worker, 'exit'))).then(() => calm.abort());
    for (const worker of this.#workers) worker.postMessage(END);
    await pause(LONGEST_END_MS, calm.signal);
    // Those that hang. One that is ended amid native code can take the whole process with it, which ends anyway.
    await Promise.all(Array.from(this.#workers, (worker) => worker.terminate()));
  }

  /** @throws {SecureGateError} the worker's own error, `inference_failed` when its thread died, `stopped` */
  run(request: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#abort.signal.aborted) {
        reject(new SecureGateError('stopped', 'The inference threads are stopped'));
        return;
      }
      this.#waiting.push({ request, resolve, reject });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.worker === undefined || slot.task !== undefined) continue;
      const task = this.#waiting.shift();
      if (task === undefined) return;
      slot.task = task;
      slot.worker.postMessage(task.request);
    }
  }

  #launch(slot: Slot): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#options.entry, { workerData: this.#options.workerData });
      this.#workers.add(worker);
      let gone = false;
      const leave = (cause: unknown): void => {
        if (gone) return;
        gone = true;
        const wasReady = slot.worker === worker;
        const error = SecureGateError.from(cause, 'inference_failed');
        slot.worker = undefined;
        slot.absence = error.code;
        slot.task?.reject(this.#abort.signal.aborted ? new SecureGateError('stopped', 'The inference threads were stopped') : error);
        slot.task = undefined;
        if (!wasReady) reject(error);
        else if (!this.#abort.signal.aborted) void this.#replace(slot, error);
      };
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') {
          slot.worker = worker;
          slot.absence = null;
          resolve(message.info);
        } else if (message.type === 'ended') {
          leave(Object.assign(SecureGateError.fromJSON(message.error), { stack: message.stack }));
        } else if (!gone) {
          const { task } = slot;
          slot.task = undefined;
          const error = message.type === 'failed' ? SecureGateError.fromJSON(message.error) : undefined;
          this.#failure = error?.code ?? null;
          if (message.type === 'done') task?.resolve(message.result);
          else if (error !== undefined) task?.reject(error);
        }
        this.#dispatch();
      });
      worker.on('error', leave);
      worker.on('exit', (code) => {
        this.#workers.delete(worker);
        leave(new Error(`thread ended with ${code}`));
      });
    });
  }

  async #replace(slot: Slot, error: SecureGateError): Promise<void> {
    this.#options.logger.error({ err: error }, 'inference thread died, starting another');
    const backOff = new BackOff(100, 10_000);
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#launch(slot);
        return;
      } catch (again) {
        if (signal.aborted) return;
        this.#options.logger.error({ err: again }, 'inference thread does not start');
        await pause(backOff.next(), signal);
      }
    }
  }
}
