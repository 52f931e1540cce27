import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { EdgeEvent, Sighting, Stats } from '../../shared/messages/events.ts';

/** Reports of the daemon after the last camera is over: what it still had to say has been said by then. */
const LAST_STATS = 2;

/** Follows a run of the daemon on cameras that play once. */
export class Watch {
  readonly sightings: Sighting[] = [];
  /** Cameras that were live once, and whether they still are. */
  readonly #cameras = new Map<string, { over: boolean }>();
  readonly #expected: number;
  readonly #over = Promise.withResolvers<void>();
  readonly #halfway = Promise.withResolvers<void>();
  readonly #halfwayMs: number;
  #stats: Stats | undefined;
  #statsAfter = 0;

  /** @param options number of cameras; time in the footage at which half of the run is over */
  constructor(options: { cameras: number; halfwayMs: number }) {
    this.#expected = options.cameras;
    this.#halfwayMs = options.halfwayMs;
  }

  /** Kept when every camera has played to its end and the last sightings are in. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Kept when half of the footage has been seen by some camera. */
  get halfway(): Promise<void> {
    return this.#halfway.promise;
  }

  /** The last figures. @throws {SecureGateError} `demo_failed` before there are any */
  get stats(): Stats {
    if (this.#stats === undefined) throw new SecureGateError('demo_failed', 'The daemon gave no figures');
    return this.#stats;
  }

  take(event: EdgeEvent): void {
    switch (event.type) {
      case 'sighting':
        this.sightings.push(event);
        break;
      case 'camera':
        if (event.state === 'live') this.#cameras.set(event.camera, { over: false });
        else if (this.#cameras.has(event.camera)) this.#cameras.set(event.camera, { over: true });
        break;
      case 'stats':
        this.#stats = event;
        if (event.cameras.some(({ frames, fpsWanted }) => (frames * 1000) / fpsWanted >= this.#halfwayMs)) this.#halfway.resolve();
        if (this.#allOver() && ++this.#statsAfter >= LAST_STATS) this.#over.resolve();
        break;
      case 'ready':
        break;
    }
  }

  #allOver(): boolean {
    return this.#cameras.size === this.#expected && this.#cameras.values().every(({ over }) => over);
  }
}
