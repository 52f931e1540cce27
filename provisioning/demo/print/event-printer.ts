import type { EdgeEvent, Sighting } from '../../../shared/messages/events.ts';
import type { Palette } from './palette.ts';

const CAMERA_COLUMN = 14;

/** Puts the daemon's events into words, with the names that the demo enrolled: the daemon itself tells only ids. */
export class EventPrinter {
  readonly #names: ReadonlyMap<string, string>;
  readonly #palette: Palette;

  /** @param names name by customer id */
  constructor(names: ReadonlyMap<string, string>, palette: Palette) {
    this.#names = names;
    this.#palette = palette;
  }

  /** @returns a line, or undefined for what needs none */
  lineOf(event: EdgeEvent): string | undefined {
    switch (event.type) {
      case 'sighting':
        return this.#sighting(event);
      case 'camera': {
        if (event.state === 'connecting') return undefined;
        const state = event.reason === null ? event.state : `${event.state}: ${event.reason}`;
        return this.#line(event.at, event.camera, event.state === 'failed' ? this.#palette.bad(state) : this.#palette.dim(state));
      }
      case 'ready':
        return this.#line(event.at, '', this.#palette.dim(`${event.cameras} cameras of ${event.tenants} tenants are being watched`));
      case 'stats':
        return undefined;
    }
  }

  #sighting({ phase, outcome, customerId, score, startedAt, endedAt, camera }: Sighting): string | undefined {
    if (outcome === 'person') {
      // Whoever was recognised is told at once; that the track is over some seconds later is no news.
      if (phase === 'ended') return undefined;
      const name = this.#names.get(customerId ?? '') ?? customerId ?? '';
      return this.#line(startedAt, camera, `${this.#palette.good(name)} ${this.#palette.dim(`(similarity ${(score ?? 0).toFixed(2)})`)}`);
    }
    const seconds = ((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1);
    const who = outcome === 'unknown' ? 'somebody unknown' : 'somebody, not clearly seen';
    return this.#line(endedAt, camera, `${who} ${this.#palette.dim(`(${seconds} s)`)}`);
  }

  #line(at: string, camera: string, text: string): string {
    return `${this.#palette.dim(new Date(at).toLocaleTimeString('en-GB'))}  ${camera.padEnd(CAMERA_COLUMN)}${text}`;
  }
}
