import { parentPort, type Transferable } from 'node:worker_threads';
import type { ErrorCode } from '../../shared/errors/codes.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { END, type WorkerMessage } from './worker-pool.ts';

/** What a thread of a WorkerPool does. */
export interface TaskServer<Request> {
  /** What it says of itself to whoever starts the pool. */
  readonly info: unknown;
  /** @returns the answer, and what of it moves to the pool's own thread instead of being copied */
  run(request: Request): Promise<{ result: unknown; transfer?: Transferable[] }>;
}

/**
 * The thread's side of a WorkerPool: starts, and does one task after the other until the pool wants it to end, or an error is
 * caught by nobody. In either case the thread ends by itself, once its event loop has nothing left to do. Ended in any other way it
 * is torn down with a garbage collection still to come, and what native code has left to that one is then called after it was
 * freed (Node 24, `node_napi_env__::EnqueueFinalizer`): one death in a hundred and forty took the whole process with it.
 * @param failureCode of errors that have no code of their own
 */
export async function serveTasks<Request>(start: () => Promise<TaskServer<Request>>, failureCode: ErrorCode): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('to be started as a worker thread');
  const post = (message: WorkerMessage, transfer: Transferable[] = []): void => port.postMessage(message, transfer);
  const fail = (error: unknown): void => {
    const reason = SecureGateError.from(error, failureCode);
    // Of the error itself: it tells the reader of the log where it came from.
    const { stack } = error instanceof Error ? error : reason;
    post({ type: 'ended', error: reason.toJSON(), stack });
    port.close();
  };
  process.on('uncaughtException', fail);
  try {
    const server = await start();
    let task: Promise<void> = Promise.resolve();
    port.on('message', (request: Request | typeof END) => {
      if (request === END) void task.then(() => port.close());
      else {
        task = server.run(request).then(
          ({ result, transfer }) => post({ type: 'done', result }, transfer),
          (error: unknown) => post({ type: 'failed', error: SecureGateError.from(error, failureCode).toJSON() }),
        );
      }
    });
    post({ type: 'ready', info: server.info });
  } catch (error) {
    fail(error);
  }
}
