import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answers } from './answers.ts';

/** Whether there can be one; it takes Debian's `swtpm` and `tpm2-tools`. */
export const hasSoftTpm = existsSync('/usr/bin/swtpm') && existsSync('/usr/bin/tpm2_create');

/**
 * A software TPM 2.0 in a process of its own, with its memory in a folder. The kernel's resource manager is not before it, so one process at
 * a time can work with it.
 */
export class SoftTpm {
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get tcti(): string {
    return `swtpm:path=${this.#socket}`;
  }

  async start(): Promise<void> {
    await mkdir(this.#state, { recursive: true });
    const sockets = ['--server', `type=unixio,path=${this.#socket}`, '--ctrl', `type=unixio,path=${this.#socket}.ctrl`];
    const child = spawn('swtpm', [
      ...['socket', '--tpm2', '--tpmstate', `dir=${this.#state}`],
      ...sockets,
      ...['--flags', 'not-need-init,startup-clear'],
    ]);
    this.#child = child;
    while (!(await answers(this.#socket))) {
      if (child.exitCode !== null) throw new Error(`swtpm ended with ${child.exitCode}`);
      await pause(10);
    }
    // It listens before it has started.
    await this.tool('tpm2_readclock');
  }

  /** The power goes, without a word before. */
  async cut(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await Promise.all([this.#socket, `${this.#socket}.ctrl`].map((path) => rm(path, { force: true })));
  }

  /** The machine is shut down, as a kernel does it. */
  async shutDown(): Promise<void> {
    await this.tool('tpm2_shutdown', '-c');
    await this.cut();
  }

  async reboot(): Promise<void> {
    await this.shutDown();
    await this.start();
  }

  /** Copies its memory, as whoever snapshots a virtual machine does. It must have no power. */
  async saveState(to: string): Promise<void> {
    await cp(this.#state, to, { recursive: true });
  }

  async restoreState(from: string): Promise<void> {
    await rm(this.#state, { recursive: true });
    await cp(from, this.#state, { recursive: true });
  }

  /** Runs one of tpm2-tools on it. */
  async tool(name: string, ...args: string[]): Promise<string> {
    const options = { cwd: this.#folder, env: { ...process.env, TPM2TOOLS_TCTI: this.tcti } };
    const { stdout } = await promisify(execFile)(name, args, options);
    return stdout;
  }

  get #socket(): string {
    return join(this.#folder, 'tpm');
  }

  get #state(): string {
    return join(this.#folder, 'state');
  }
}
