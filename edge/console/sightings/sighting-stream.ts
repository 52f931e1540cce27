import { BackOff } from '../../../shared/runtime/back-off.ts';
import { sightings } from '../api/sightings.ts';
import type { Sighting } from '../api/types.ts';

/** Follows the sightings of several venues as they happen, and comes back whenever the connection breaks. */
export class SightingStream {
  readonly #tenants: readonly string[];
  readonly #onSighting: (sighting: Sighting) => void;
  readonly #onOpen: (open: boolean) => void;
  readonly #backOff = new BackOff(1000, 20_000);
  #source: EventSource | undefined;
  #timer: number | undefined;

  constructor(tenants: readonly string[], onSighting: (sighting: Sighting) => void, onOpen: (open: boolean) => void) {
    this.#tenants = tenants;
    this.#onSighting = onSighting;
    this.#onOpen = onOpen;
  }

  start(): void {
    const source = new EventSource(sightings.streamPath(this.#tenants));
    this.#source = source;
    source.addEventListener('open', () => {
      this.#backOff.reset();
      this.#onOpen(true);
    });
    source.addEventListener('sighting', (event: MessageEvent<string>) => this.#onSighting(JSON.parse(event.data) as Sighting));
    source.addEventListener('error', () => {
      this.#onOpen(false);
      // The browser itself would not come back after a refusal, and after a break it would come back at a fixed pace.
      source.close();
      this.#timer = window.setTimeout(() => this.start(), this.#backOff.next());
    });
  }

  stop(): void {
    window.clearTimeout(this.#timer);
    this.#source?.close();
  }
}
