import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import type { LinkPart } from '../link-part.ts';
import type { Uplink } from '../uplink.ts';
import { Lane } from './lane.ts';
import type { Source } from './source.ts';
import { Turns } from './turns.ts';

/** What was seen is told within these, and tenants that come and go are found. */
const LOOK_EVERY_MS = 5000;
/** Between two messages of this box: weeks that wait must not stand in the way of an answer to a command. */
const TURN_MS = 250;

export interface OutboxOptions {
  readonly uplink: Pick<Uplink, 'publish'>;
  /** Those of all tenants, as they are now; the same object each time. */
  readonly sources: () => readonly Source[];
  /** How long to wait for an answer before it is said again. */
  readonly waits: () => BackOff;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly logger: Logger;
  readonly lookEveryMs?: number;
  readonly turnMs?: number;
}

/** Tells the control plane what the tenants of this box have for it: each in its own lane, one message after the other, in turns. */
export class Outbox implements LinkPart {
  readonly #options: OutboxOptions;
  readonly #turns: Turns;
  readonly #lanes = new Map<Source, Lane>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#turns = new Turns(options.turnMs ?? TURN_MS, options.monotonic);
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), this.#options.lookEveryMs ?? LOOK_EVERY_MS);
    this.#look();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.stop()));
    this.#lanes.clear();
  }

  onConnect(): void {
    for (const lane of this.#lanes.values()) lane.wake();
  }

  readonly onReply: NonNullable<LinkPart['onReply']> = {
    kept: ({ batch, refused }) => {
      if (refused > 0) this.#options.logger.warn({ refused }, 'the control plane does not count what is too old, or of times to come');
      for (const lane of this.#lanes.values()) void lane.kept(batch);
    },
  };

  #look(): void {
    const { sources, waits, uplink, now, logger } = this.#options;
    const present = new Set(sources());
    for (const source of present) {
      if (this.#lanes.has(source)) continue;
      const lane = new Lane({ source, uplink, turns: this.#turns, now, backOff: waits(), logger });
      this.#lanes.set(source, lane);
      lane.start();
    }
    for (const [source, lane] of this.#lanes) {
      if (present.has(source)) lane.look();
      else {
        this.#lanes.delete(source);
        void lane.stop();
      }
    }
  }
}
