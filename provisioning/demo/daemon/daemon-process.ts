import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../../models/registry/project-root.ts';
import { type EdgeEvent, eventSchema } from '../../../shared/messages/events.ts';

export interface DaemonOptions {
  readonly configFile: string;
  /** Takes the daemon's log. */
  readonly logFile: string;
  readonly onEvent: (event: EdgeEvent) => void;
  /** Modules that run in the daemon and its threads before the daemon itself. */
  readonly imports?: readonly URL[];
}

/** How a process ended: its exit code, or the signal that ended it. */
export type ProcessEnd = number | NodeJS.Signals;

/** The daemon as a box runs it: a process of its own that tells what it sees by lines on its standard output. */
export class DaemonProcess {
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** @returns a promise that is kept when the process has ended and all of its events were handed on */
  start(): Promise<ProcessEnd> {
    const { configFile, logFile, onEvent, imports = [] } = this.#options;
    const log = openSync(logFile, 'a', 0o600);
    const main = join(projectRoot(), 'provisioning', 'main.ts');
    const flags = imports.map(({ href }) => `--import=${href}`);
    const child = spawn(process.execPath, [...flags, main, 'edge', '--config', configFile], { stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    this.#child = child;
    if (child.stdout === null) throw new Error('The daemon has no standard output');
    const lines = createInterface({ input: child.stdout });
    const read = new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        try {
          onEvent(eventSchema.parse(JSON.parse(line)));
        } catch (error) {
          reject(error);
        }
      });
      lines.on('close', resolve);
    });
    const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as ProcessEnd);
    return Promise.all([ended, read]).then(([end]) => end);
  }

  /** Process id of the running daemon. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('The daemon does not run');
    return this.#child.pid;
  }

  /** `SIGTERM` drains it, `SIGKILL` is a power cut. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}
