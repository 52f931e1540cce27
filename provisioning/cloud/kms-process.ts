import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { projectRoot } from '../../models/registry/project-root.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

const LOOK_EVERY_MS = 50;

/** The KMS beside a control plane on the same machine: a process of its own, since it alone has the PIN. */
export class KmsProcess {
  readonly #configFile: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  constructor(configFile: string, env: Readonly<Record<string, string>>) {
    this.#configFile = configFile;
    this.#env = env;
  }

  /** @param isReady asks the KMS whether it answers @throws {SecureGateError} `kms_unavailable` when it ends instead */
  async start(isReady: () => Promise<boolean>): Promise<void> {
    const main = join(projectRoot(), 'provisioning', 'main.ts');
    const child = spawn(process.execPath, [main, 'kms', '--config', this.#configFile], {
      // A terminal's Ctrl-C goes to all of a group; the control plane ends first and says so to the KMS.
      detached: true,
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#child = child;
    const ended = once(child, 'exit').then(() => {
      throw new SecureGateError('kms_unavailable', 'The KMS ended while it started; its log says why');
    });
    const ready = (async () => {
      while (isRunning(child) && !(await isReady())) await pause(LOOK_EVERY_MS);
    })();
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !isRunning(child)) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
}

/** One that was ended by a signal has no exit code. */
function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
