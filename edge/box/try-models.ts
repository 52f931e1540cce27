import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Config } from '../config/schema.ts';

const TRIAL = fileURLToPath(new URL('../model-trial.ts', import.meta.url));
/** Whoever has not fetched a set by then does not fetch it. */
const LONGEST_MS = 3_600_000;

/** What the process of a trial is told, and what it says. */
export interface TrialRequest {
  readonly set: string;
  readonly modelsDir: string | undefined;
  readonly provider: Config['inference']['provider'];
}
export interface TrialReply {
  readonly error: ReturnType<SecureGateError['toJSON']> | null;
}

/**
 * Brings the models of a set to this box, where they may be fetched, and tries them, in a process that ends with the signal.
 * @throws {SecureGateError} `model_unknown`, `model_licence`, `model_source`, `model_missing`, `model_integrity`, `model_contract`,
 * `inference_failed`, `storage_failed`, `stopped`
 */
export async function tryModels(request: TrialRequest, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw stopped();
  // stdout is for the daemon's events alone.
  const child = fork(TRIAL, { execArgv: ['--disable-sigusr1'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const end = (): void => void child.kill('SIGKILL');
  const timer = setTimeout(end, LONGEST_MS);
  signal.addEventListener('abort', end, { once: true });
  let reply: TrialReply | undefined;
  child.once('message', (message) => {
    reply = message as TrialReply;
  });
  try {
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    child.send(request, () => undefined);
    const [code, killedBy] = await exited;
    if (signal.aborted) throw stopped();
    if (reply === undefined) throw new SecureGateError('inference_failed', `The models brought their trial down: ${killedBy ?? code}`);
    if (reply.error !== null) throw SecureGateError.fromJSON(reply.error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

function stopped(): SecureGateError {
  return new SecureGateError('stopped', 'The trial of the models was broken off');
}
