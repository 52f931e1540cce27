import type { Denial } from './authorise.ts';

export interface BrokerCounts {
  readonly connected: number;
  /** Connections that ended with an error. */
  readonly broken: number;
  /** Messages of clients. */
  readonly received: number;
  /** Messages for a control plane for which too many wait already. */
  readonly lost: number;
  /** Connections that were not let in, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** What devices were not let do, by reason. */
  readonly denied: Readonly<Record<string, number>>;
}

/** What the broker has done since it was made, for metrics. */
export class Counts {
  #connected = 0;
  #broken = 0;
  #received = 0;
  #lost = 0;
  readonly #refused = new Map<string, number>();
  readonly #denied = new Map<string, number>();

  connected(): void {
    this.#connected += 1;
  }

  broken(): void {
    this.#broken += 1;
  }

  received(): void {
    this.#received += 1;
  }

  lost(): void {
    this.#lost += 1;
  }

  refused(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  denied(denial: Denial): void {
    this.#denied.set(denial, (this.#denied.get(denial) ?? 0) + 1);
  }

  read(): BrokerCounts {
    return {
      connected: this.#connected,
      broken: this.#broken,
      received: this.#received,
      lost: this.#lost,
      refused: Object.fromEntries(this.#refused),
      denied: Object.fromEntries(this.#denied),
    };
  }
}
