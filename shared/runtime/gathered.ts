interface Waiting<Item, Result> {
  readonly item: Item;
  readonly done: PromiseWithResolvers<Result>;
}

interface Follower {
  /** How much has to be done. */
  readonly after: number;
  readonly go: () => void;
}

export interface GatheredOptions<Item, Result> {
  /** Does several at a time, whole or not at all; it gives a result for each, in their order. */
  readonly work: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Done together. */
  readonly most: number;
  /** Lots under way at a time. */
  readonly atOnce: number;
}

/**
 * Does together what comes in the same moment, or while something before it is done: whoever comes alone waits for nobody. Between two lots
 * everything else has its turn: work that never waits for anything but a database of this process would keep the process from all else.
 */
export class Gathered<Item, Result> {
  readonly #options: GatheredOptions<Item, Result>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  readonly #followers: Follower[] = [];
  #underWay = 0;
  #asked = 0;
  #done = 0;

  constructor(options: GatheredOptions<Item, Result>) {
    this.#options = options;
  }

  async run(item: Item): Promise<Result> {
    const done = Promise.withResolvers<Result>();
    this.#asked += 1;
    this.#waiting.push({ item, done });
    queueMicrotask(() => this.#go());
    return await done.promise;
  }

  /** Resolves when as much is done, well or not, as was asked for until now. */
  async caughtUp(): Promise<void> {
    if (this.#done < this.#asked) await new Promise<void>((go) => void this.#followers.push({ after: this.#asked, go }));
  }

  #go(): void {
    const { most, atOnce } = this.#options;
    while (this.#underWay < atOnce && this.#waiting.length > 0) {
      this.#underWay += 1;
      const lot = this.#waiting.splice(0, most);
      void this.#do(lot).finally(() => {
        this.#done += lot.length;
        for (let next = this.#followers[0]; next !== undefined && next.after <= this.#done; next = this.#followers[0]) {
          this.#followers.shift();
          next.go();
        }
        setImmediate(() => {
          this.#underWay -= 1;
          this.#go();
        });
      });
    }
  }

  /** Where they fail together, the one that cannot be done must not take the others with it. */
  async #do(lot: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.work(lot.map(({ item }) => item));
      for (const [at, { done }] of lot.entries()) done.resolve(results[at] as Result);
    } catch (error) {
      if (lot.length > 1) for (const one of lot) await this.#do([one]);
      else lot[0]?.done.reject(error);
    }
  }
}
