import type { Venue } from './harness/venue.ts';

/** How much a drill does. */
export interface Thoroughness {
  /** Power cuts of the drill that cuts it at random moments. */
  readonly powerCuts: number;
}

/** Something that breaks, and what the box owes its venue when it does. */
export interface Fault {
  readonly name: string;
  /** In one sentence, with its figures. */
  readonly expected: string;
  /** It mounts a disk of its own. */
  readonly needsRoot?: true;
  /**
   * Breaks it and looks.
   * @returns what was measured
   * @throws {NotHeld} where the box did not do what is expected of it
   */
  run(venue: Venue, thoroughness: Thoroughness): Promise<string>;
}
