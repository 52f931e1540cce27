import type { Figures } from './protocol.ts';

/**
 * Hears of every change of the keyring that is on the disk. Must not reject.
 * @param lost something was taken away: whoever did that waits for what this returns
 */
export type KeyringListener = (lost: boolean) => Promise<void>;

type Heard = Pick<Figures, 'keyringChanges' | 'keyringLosses'>;

/** Whoever follows the keyring of a vault, and how far. */
export class KeyringFollowers {
  readonly #listeners = new Set<KeyringListener>();
  #heard: Heard = { keyringChanges: 0, keyringLosses: 0 };
  #followed: Promise<unknown> = Promise.resolve();

  /** @returns ends the listening */
  add(listener: KeyringListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Another process counts anew. */
  begin(figures: Heard): void {
    this.#heard = figures;
  }

  look(figures: Heard): void {
    if (figures.keyringChanges === this.#heard.keyringChanges) return;
    const lost = figures.keyringLosses !== this.#heard.keyringLosses;
    this.#heard = figures;
    // Somebody who is added must not have those go on who wait for an erasure.
    if (lost) void this.follow();
    else for (const listener of this.#listeners) void listener(false);
  }

  /** Has them follow all that is in it now. */
  follow(): Promise<unknown> {
    this.#followed = Promise.all(Array.from(this.#listeners, (listener) => listener(true)));
    return this.#followed;
  }

  /** Resolves when they have followed what was taken away from it so far. */
  get followed(): Promise<unknown> {
    return this.#followed;
  }
}
