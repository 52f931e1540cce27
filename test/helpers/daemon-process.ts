import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ToldEvents } from '../../provisioning/demo/daemon/told-events.ts';
import { type EdgeEvent, eventSchema } from '../../shared/messages/events.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** The daemon as a process of its own, as a venue runs it; its events are checked against their schema as they come. */
export class DaemonProcess {
  /** What it wrote to stderr so far. */
  log = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;
  readonly #told = new ToldEvents();

  /** @param entry what runs in the daemon's place, and what it takes besides the daemon's own arguments */
  constructor(configFile: string, [entry = MAIN, ...more]: readonly string[] = []) {
    const environment = { ...process.env, UV_THREADPOOL_SIZE: '64', MALLOC_PERTURB_: '165' };
    this.#child = spawn(process.execPath, [entry, 'edge', '--config', configFile, ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the daemon has no stdout');
    createInterface({ input: stdout }).on('line', (line) => {
      this.#told.add(eventSchema.parse(JSON.parse(line)));
    });
    this.#exit = once(this.#child, 'exit').then(([code, signal]) => {
      this.#told.end(new Error(`the daemon ended with ${code ?? signal}:\n${this.log}`));
      return (code ?? signal) as number | string;
    });
  }

  get events(): readonly EdgeEvent[] {
    return this.#told.all;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Exit code or signal. */
  get exit(): Promise<number | string> {
    return this.#exit;
  }

  /** The first event of a type, from now or since `from` (place in `events`), that fits. */
  until<Type extends EdgeEvent['type']>(
    type: Type,
    fits?: (event: Extract<EdgeEvent, { type: Type }>) => boolean,
    from?: number,
  ): Promise<Extract<EdgeEvent, { type: Type }>> {
    return this.#told.until(type, fits, from);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the process if it still runs. */
  async cleanUp(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
