import { X509Certificate } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Enrolment } from '../../../shared/fleet/enrolment.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { BackOff } from '../../../shared/runtime/back-off.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import { pause } from '../../runtime/pause.ts';
import type { LinkFolder } from './link-folder.ts';

const LOOK_EVERY_MS = 60_000;
const TRIES = { firstMs: 30_000, longestMs: 3_600_000 };
/** Boxes that were enrolled on one day do not all come back at the same minute. */
const SPREAD = 0.1;

export interface RenewalOptions {
  readonly folder: LinkFolder;
  /** Called when there is a new certificate. */
  readonly onRenewed: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** Renews the certificate of the box after two thirds of its life, and tries on when that fails: also long after it has ended. */
export class Renewal implements Part {
  readonly name = 'certificate renewal';
  readonly #options: RenewalOptions;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    const tries = new BackOff(TRIES.firstMs, TRIES.longestMs, random);
    const spread = random() * SPREAD;
    while (!this.#stopped.signal.aborted) {
      const done = await this.#renewWhereDue(spread);
      if (done) tries.reset();
      await pause(done ? LOOK_EVERY_MS : tries.next(), this.#stopped.signal);
    }
  }

  /** @returns whether nothing is left to do for now */
  async #renewWhereDue(spread: number): Promise<boolean> {
    const { folder, onRenewed, clock, logger } = this.#options;
    try {
      const enrolment = folder.find();
      if (enrolment === undefined || clock.now() < dueAt(enrolment, spread)) return true;
      // Loaded once in days: what makes certificate requests takes 25 MB of memory.
      const { renew } = await import('./renew.ts');
      await renew(folder);
      logger.info('the certificate of this box was renewed');
      onRenewed();
      return true;
    } catch (error) {
      logger.warn({ err: SecureGateError.from(error) }, 'the certificate of this box could not be renewed');
      return false;
    }
  }
}

function dueAt({ certificate }: Pick<Enrolment, 'certificate'>, spread: number): number {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const life = validToDate.getTime() - validFromDate.getTime();
  return validFromDate.getTime() + life * (2 / 3 - spread);
}
