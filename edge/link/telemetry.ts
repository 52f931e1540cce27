import type { Telemetry as Report } from '../../shared/fleet/telemetry.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { LinkPart } from './link-part.ts';
import type { Uplink } from './uplink.ts';

const TELL_EVERY_MS = 300_000;

export interface TelemetryOptions {
  readonly uplink: Pick<Uplink, 'publish'>;
  /** How the box is now. */
  readonly read: () => Promise<Report>;
  readonly logger: Logger;
  readonly everyMs?: number;
}

/** Tells the control plane how the box is: when it is connected, when it has changed, and every few minutes. What is lost, the next word says better. */
export class Telemetry implements LinkPart {
  readonly #options: TelemetryOptions;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();
  /** Whether it is to be said, and nothing of it is read yet. */
  #due = false;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.tell(), this.#options.everyMs ?? TELL_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#telling;
  }

  onConnect(): void {
    this.tell();
  }

  /** Once, however much has changed until it is said. */
  tell(): void {
    if (this.#due) return;
    this.#due = true;
    this.#telling = this.#telling.then(() => this.#tell());
  }

  async #tell(): Promise<void> {
    const { uplink, read, logger } = this.#options;
    this.#due = false;
    try {
      await uplink.publish('telemetry', Buffer.from(JSON.stringify(await read())));
    } catch (error) {
      logger.debug({ err: error }, 'the control plane was not told how the box is');
    }
  }
}
