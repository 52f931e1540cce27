import type { EdgeEvent } from '../../../shared/messages/events.ts';

type EventOf<Type extends EdgeEvent['type']> = Extract<EdgeEvent, { type: Type }>;

/** What a daemon told so far, and waiting for what it will tell. */
export class ToldEvents {
  readonly all: EdgeEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #end: Error | undefined;

  add(event: EdgeEvent): void {
    this.all.push(event);
    this.#look();
  }

  /** Nothing more will come. @param reason given to whoever waits, now or later */
  end(reason: Error): void {
    this.#end = reason;
    this.#look();
  }

  /**
   * The first event of a type that fits, from the beginning or since `from` (place in `all`).
   * @throws the reason of {@link end} when no such event came before it
   */
  async until<Type extends EdgeEvent['type']>(
    type: Type,
    fits: (event: EventOf<Type>) => boolean = () => true,
    from = 0,
  ): Promise<EventOf<Type>> {
    const { promise, resolve, reject } = Promise.withResolvers<EventOf<Type>>();
    let next = from;
    const look = (): void => {
      for (; next < this.all.length; next += 1) {
        const event = this.all[next] as EventOf<Type>;
        if (event.type !== type || !fits(event)) continue;
        resolve(event);
        return;
      }
      if (this.#end !== undefined) reject(this.#end);
    };
    this.#waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      this.#waiting.delete(look);
    }
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
