import type { Logger } from '../../shared/log/create-logger.ts';
import type { EdgeEvent } from '../../shared/messages/events.ts';

type Listener = (event: EdgeEvent) => void;

/**
 * Hands each event to those who listen to its tenant. It keeps no queue: a listener takes the event at once or not at all,
 * and one that fails is alone with its failure.
 */
export class EventHub {
  readonly #logger: Logger;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns a function that ends the listening */
  listen(tenant: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(tenant) ?? new Set();
    this.#listeners.set(tenant, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(tenant) === listeners) this.#listeners.delete(tenant);
    };
  }

  /** Events of the box as a whole (`ready`, `stats`) concern no tenant and reach nobody here. */
  publish(event: EdgeEvent): void {
    if (!('tenant' in event)) return;
    for (const listener of this.#listeners.get(event.tenant) ?? []) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, tenant: event.tenant }, 'a listener failed');
      }
    }
  }
}
