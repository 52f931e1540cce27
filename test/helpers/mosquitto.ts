import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { answers } from '../../provisioning/drills/harness/answers.ts';

const PROGRAM = '/usr/sbin/mosquitto';
const PLUGIN = globSync('/usr/lib/*/mosquitto_dynamic_security.so')[0] ?? '';
export const hasMosquitto = existsSync(PROGRAM) && PLUGIN !== '';

export interface MosquittoOptions {
  readonly folder: string;
  readonly port: number;
  /** Files. */
  readonly certificate: string;
  readonly key: string;
  readonly authorities: string;
  readonly rights: string;
}

/** Debian's mosquitto as an operator sets it up for boxes (provisioning/runbooks/use-another-broker.md). */
export class Mosquitto {
  readonly #options: MosquittoOptions;
  #process: ChildProcess | undefined;

  constructor(options: MosquittoOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { folder, port, certificate, key, authorities, rights } = this.#options;
    chmodSync(folder, 0o755);
    const config = join(folder, 'mosquitto.conf');
    writeFileSync(
      config,
      `listener ${port} 127.0.0.1
user ${process.getuid?.() === 0 ? 'root' : 'nobody'}
cafile ${authorities}
certfile ${certificate}
keyfile ${key}
require_certificate true
use_subject_as_username true
use_username_as_clientid true
allow_anonymous false
retain_available false
message_size_limit 327680
max_packet_size 327680
plugin ${PLUGIN}
plugin_opt_config_file ${rights}
persistence true
persistence_location ${folder}/
`,
    );
    const running = spawn(PROGRAM, ['-c', config], { stdio: ['ignore', 'ignore', 'ignore'] });
    this.#process = running;
    while (!(await answers(port))) {
      if (running.exitCode !== null) throw new Error('mosquitto did not start');
      await pause(20);
    }
  }

  /** Takes its certificate anew, as an operator tells it to. */
  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  /** Until it is stopped. */
  async hang(): Promise<void> {
    this.#process?.kill('SIGSTOP');
    while (!readFileSync(`/proc/${this.#process?.pid}/stat`, 'utf8').includes(') T ')) await pause(5);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    running.kill('SIGCONT');
    await ended;
  }
}
