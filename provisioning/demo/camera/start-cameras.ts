import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { camerasStartedSchema, type StartCameras } from './protocol.ts';

export interface RunningCameras {
  /** Address of the stream by the camera's id. */
  readonly urls: Readonly<Record<string, string>>;
  /** Of the process that plays them. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts the test cameras in a process of their own, so that they neither slow down nor speed up what watches them.
 * @throws {SecureGateError} `demo_failed` where the process ends before it serves
 */
export async function startCameras(start: StartCameras): Promise<RunningCameras> {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)));
  const exited = once(child, 'exit');
  child.send(start);
  const [message] = (await Promise.race([once(child, 'message'), exited.then(() => [undefined])])) as [unknown];
  const answer = camerasStartedSchema.safeParse(message);
  if (!answer.success) throw new SecureGateError('demo_failed', 'The test cameras did not start', { cause: answer.error });
  return {
    urls: answer.data.urls,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
