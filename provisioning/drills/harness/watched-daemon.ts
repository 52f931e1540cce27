import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { EdgeEvent, Stats } from '../../../shared/messages/events.ts';
import { DaemonProcess, type ProcessEnd } from '../../demo/daemon/daemon-process.ts';
import { ToldEvents } from '../../demo/daemon/told-events.ts';
import { childrenOf } from './find-vault.ts';
import { NotHeld, TooSlow } from './not-held.ts';

type EventOf<Type extends EdgeEvent['type']> = Extract<EdgeEvent, { type: Type }>;

export interface WatchedDaemonOptions {
  readonly configFile: string;
  readonly logFile: string;
  readonly imports?: readonly URL[];
}

const PATIENCE_MS = 30_000;

/** The daemon as a process of its own, with all that it told so far. */
export class WatchedDaemon {
  readonly #options: WatchedDaemonOptions;
  readonly #told = new ToldEvents();
  readonly #process: DaemonProcess;
  #end: Promise<ProcessEnd> | undefined;
  #ended: ProcessEnd | undefined;

  constructor(options: WatchedDaemonOptions) {
    this.#options = options;
    this.#process = new DaemonProcess({ ...options, onEvent: (event) => this.#told.add(event) });
  }

  start(): void {
    this.#end = this.#process.start().then((end) => {
      this.#ended = end;
      this.#told.end(new NotHeld(`the daemon ended (${end})`));
      return end;
    });
  }

  get events(): EdgeEvent[] {
    return this.#told.all;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Kept when it has ended. */
  get end(): Promise<ProcessEnd> {
    if (this.#end === undefined) throw new Error('The daemon was not started');
    return this.#end;
  }

  /** Its exit code, or the signal that ended it; undefined while it runs. */
  get ended(): ProcessEnd | undefined {
    return this.#ended;
  }

  /** What it wrote to its log so far. */
  log(): Promise<string> {
    return readFile(this.#options.logFile, 'utf8');
  }

  /**
   * The first event of a type that fits, from the beginning or since `from` (place in `events`).
   * @throws {NotHeld} when the daemon ends; {@link TooSlow} when none comes within half a minute
   */
  async until<Type extends EdgeEvent['type']>(type: Type, fits?: (event: EventOf<Type>) => boolean, from?: number): Promise<EventOf<Type>> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new TooSlow(`no such ${type} event within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    try {
      return await Promise.race([this.#told.until(type, fits, from), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next figures. */
  nextStats(): Promise<Stats> {
    return this.until('stats', () => true, this.events.length);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Takes the daemon and all of its vaults away at once. */
  async cutPower(): Promise<void> {
    // The number of a process that has ended may be another one's by now.
    const vaults = this.#ended === undefined ? await childrenOf(this.pid) : [];
    this.#process.kill('SIGKILL');
    for (const vault of vaults) killIfThere(vault);
    await this.end;
    // What holds the data folder is gone when its process is.
    while (vaults.some(isThere)) await pause(10);
  }
}

function killIfThere(pid: number): void {
  if (isThere(pid)) process.kill(pid, 'SIGKILL');
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
