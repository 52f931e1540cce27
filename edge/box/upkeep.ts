import type { Logger } from '../../shared/log/create-logger.ts';
import { type LastBackup, readLastBackup } from '../backup/last-backup.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Tenants } from './tenants.ts';

const LOOK_EVERY_MS = 60_000;

export interface UpkeepOptions {
  readonly keyDir: string;
  readonly tenants: Pick<Tenants, 'lookAtReplicas'>;
  readonly logger: Logger;
}

/** Looks now and then at what lies outside the box's own files: the last backup, and the replicas of the keyrings. */
export class Upkeep implements Part {
  readonly name = 'upkeep';
  readonly #options: UpkeepOptions;
  #lastBackup: LastBackup | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** A disk in the network can hang: it is not looked at a second time meanwhile. */
  #looking = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** What is known of the last backup; null where none was made. */
  get lastBackup(): LastBackup | null {
    return this.#lastBackup;
  }

  async start(): Promise<void> {
    await this.#readLastBackup();
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    await this.#readLastBackup();
    await this.#options.tenants.lookAtReplicas();
    this.#looking = false;
  }

  async #readLastBackup(): Promise<void> {
    try {
      this.#lastBackup = await readLastBackup(this.#options.keyDir);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'what is known of the last backup cannot be read');
    }
  }
}
