import { isDeepStrictEqual } from 'node:util';
import type { Report, ReportedState } from '../../../shared/fleet/reported.ts';
import { Ulids } from '../../../shared/ids/ulid.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import { Telling } from '../telling.ts';
import type { Uplink } from '../uplink.ts';

export interface ReportsOptions {
  readonly uplink: Uplink;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly backOff: BackOff;
  readonly logger: Logger;
}

/** Tells the control plane how this box is, until it has written it down. */
export class Reports extends Telling {
  readonly #options: ReportsOptions;
  readonly #ids: Ulids;
  #last: Report | undefined;
  #kept = true;

  constructor(options: ReportsOptions) {
    super(options);
    this.#options = options;
    this.#ids = new Ulids(options.now);
  }

  /** The box is so now. */
  say(state: ReportedState): void {
    if (!isDeepStrictEqual(state, this.#last?.state)) this.#renew(state);
  }

  /** The control plane may know nothing of it. */
  sayAgain(): void {
    if (this.#last) this.#renew(this.#last.state);
  }

  kept(report: string): void {
    if (report === this.#last?.report) this.#kept = true;
  }

  #renew(state: ReportedState): void {
    this.#last = { report: this.#ids.next(), state };
    this.#kept = false;
    this.wake();
  }

  protected async tell(): Promise<boolean> {
    if (this.#kept || this.#last === undefined) return true;
    await this.#options.uplink.publish('reported', Buffer.from(JSON.stringify(this.#last)));
    return false;
  }
}
