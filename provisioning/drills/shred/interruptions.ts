import { setTimeout as pause } from 'node:timers/promises';
import type { DrillBox } from './drill-box.ts';

const ASK_EVERY_MS = 200;

/** Asks boxes for the customers of a tenant all the time, and counts how often it is answered. */
export class Interruptions {
  readonly #boxes: readonly DrillBox[];
  readonly #tenant: string;
  readonly #end = new AbortController();
  #asking: Promise<unknown> = Promise.resolve();
  answered = 0;
  /** What was said instead. */
  readonly refused: string[] = [];

  constructor(boxes: readonly DrillBox[], tenant: string) {
    this.#boxes = boxes;
    this.#tenant = tenant;
  }

  start(): void {
    this.#asking = Promise.all(this.#boxes.map((box) => this.#ask(box)));
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#asking;
  }

  async #ask({ name, box }: DrillBox): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        const { status, body } = await box.api.get(`/v1/tenants/${this.#tenant}/customers?limit=1`);
        if (status === 200) this.answered += 1;
        else this.refused.push(`${name}: ${body.code}`);
      } catch (error) {
        this.refused.push(`${name}: ${error}`);
      }
      await pause(ASK_EVERY_MS);
    }
  }
}
